/** A request of one device. Blocks are numbered in the part of the device that a test looks at (see `Windows`), from the end if negative. */
export type Request =
  | { readonly do: "write"; readonly at: number; readonly count: number; readonly fua?: boolean }
  | { readonly do: "read"; readonly at: number; readonly count: number }
  | { readonly do: "writeZeroes"; readonly at: number; readonly count: number; readonly mayDiscard?: boolean }
  | { readonly do: "discard"; readonly at: number; readonly count: number }
  | { readonly do: "flush" }

/** One step of a test of a stack: plain data, so that a counterexample can be printed, kept and run again. */
export type Operation =
  | Request
  /** Requests that are all asked for before any of them has settled. */
  | { readonly do: "together"; readonly requests: readonly Request[] }
  /** A request during which the `nth` request of one kind below fails. */
  | {
      readonly do: "failing"
      readonly below: "read" | "write" | "flush"
      readonly nth: number
      readonly request: Request
    }
  | { readonly do: "reopen" }
  /**
   * Power fails so many turns of the microtask queue after the requests were asked for; of what may be lost, `left` says
   * in turn what is left.
   */
  | {
      readonly do: "crash"
      readonly during: readonly Request[]
      readonly turns: number
      readonly left: readonly number[]
    }
  /** One bit below a block changes, and changes back after the block was read. */
  | {
      readonly do: "corrupt"
      readonly at: number
      readonly part: "data" | "tag"
      readonly bit: number
      readonly reopens: boolean
    }

/** How many requests and other steps a list has: those inside of others count for themselves. */
export function operationCount(operations: readonly Operation[]): number {
  return operations.reduce((sum, operation) => {
    if (operation.do === "together") return sum + operation.requests.length
    return sum + 1 + (operation.do === "crash" ? operation.during.length : 0)
  }, 0)
}

export function printOperation(operation: Operation): string {
  switch (operation.do) {
    case "together":
      return `together: ${operation.requests.map(printOperation).join(" | ")}`
    case "failing":
      return `${printOperation(operation.request)}, while ${operation.below} ${operation.nth} below fails`
    case "crash":
      return `crash${operation.during.map((request) => ` during ${printOperation(request)}`).join(",")}, leaving [${operation.left.join(", ")}]`
    case "corrupt":
      return `bit ${operation.bit} of the ${operation.part} below block ${operation.at} changes${operation.reopens ? ", between close and open" : ""}`
    case "flush":
    case "reopen":
      return operation.do
    default:
      return `${operation.do} ${operation.count} at ${operation.at}${"fua" in operation && operation.fua ? ", fua" : ""}${"mayDiscard" in operation && operation.mayDiscard ? ", may discard" : ""}`
  }
}
