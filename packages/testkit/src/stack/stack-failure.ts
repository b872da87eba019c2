import { type Operation, operationCount, printOperation } from "./operation.ts"

/** A list of operations on a stack, and all else that decides how they run: plain data, to be kept and run again. */
export interface StackScript {
  readonly operations: readonly Operation[]
  readonly jitter: number
  /** Bytes that the device is asked to have. */
  readonly minimumSizeBytes: number
}

/** A stack that broke its contract, with the shortest list of operations that was found. */
export class StackFailure extends Error {
  override readonly name = "StackFailure"
  readonly script: StackScript
  /** Requests and other steps, those that run together counted one by one. */
  readonly operationCount: number

  constructor(script: StackScript, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    const steps = script.operations.map((operation, index) => `  ${index + 1}. ${printOperation(operation)}`)
    super(`${reason}\nafter:\n${steps.join("\n")}\nreplayStack(options, ${JSON.stringify(script)})`, { cause })
    this.script = script
    this.operationCount = operationCount(script.operations)
  }
}
