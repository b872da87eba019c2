import { type BlockDevice, BlockError, memoryDevice } from "@blockstrata/device"
import { integrityWordWith } from "@blockstrata/integrity"
import { openTable, parseTable, printTable } from "@blockstrata/mapper"
import { portableEngine } from "@blockstrata/primitives/portable"
import { seededRuntime } from "@blockstrata/testkit"
import { standardWords } from "blockstrata"
import type { Case, Outcome, Setup, Step, StepOutcome } from "./case.ts"
import { readAll } from "./read-all.ts"
import { ReadOnlyModel } from "./read-only-model.ts"

/** What Linux does without asking, and the guest waits for. */
const POLICY = { allowUnauthenticatedRecovery: true, recalculation: "now" } as const
const WORDS = [integrityWordWith(POLICY), ...standardWords]

/** A line that was opened over media. */
export interface OpenedLine {
  readonly device: BlockDevice
  /** As the kernel prints it. */
  readonly printed: string
}

/** Opens the devices below a line, then `line`; writes change `media`, which are the setup's in their order. */
export async function openHere(
  setup: Setup,
  media: readonly Uint8Array[],
  line: string = setup.line,
): Promise<OpenedLine> {
  const devices = new Map<string, BlockDevice>()
  for (const [index, { name, blockSize }] of setup.media.entries())
    devices.set(name, memoryDevice({ bytes: media[index]!, blockSize }))
  for (const lower of setup.lowers ?? []) devices.set(lower.name, (await openOn(lower.line, false)).device)
  return await openOn(line, setup.isReadOnly === true || setup.isReadOnlyHere === true)

  async function openOn(text: string, readOnly: boolean): Promise<OpenedLine> {
    const opened = await openTable(parseTable(text, WORDS), {
      readOnly,
      runtime: seededRuntime(1),
      engine: setup.isPortable ? portableEngine : undefined,
      keys: (description) => setup.keys?.find((key) => key.description === description)?.bytes,
      async openOperand({ path }) {
        const device = devices.get(path)
        if (device === undefined) throw new BlockError("INVALID", `no such device: ${path}`)
        return device
      },
    })
    return { device: opened.device, printed: printTable(opened.table, { showKeys: true }) }
  }
}

/** What the kernel is asked, asked here, over copies of the media. */
export async function runHere(each: Setup & Pick<Case, "steps">, pool: Uint8Array): Promise<Outcome> {
  const media = each.media.map(({ content }) => new Uint8Array(content))
  let opened: OpenedLine
  try {
    opened = await openHere(each, media)
  } catch (error) {
    return { ...refusalOf(error, each), steps: [], media }
  }
  const { device, printed } = opened
  const model = each.isReadOnlyHere ? await ReadOnlyModel.of(device) : undefined
  const steps: StepOutcome[] = []
  for (const step of each.steps)
    steps.push(model === undefined ? await runStep(device, step, pool) : model.run(step, pool))
  await device.close()
  return { verdict: "taken", printed, geometry: `${device.size} ${device.blockSize}`, steps, media }
}

function refusalOf(error: unknown, { isReadOnlyHere }: Setup): Pick<Outcome, "verdict" | "reason"> {
  if (!(error instanceof BlockError)) throw error
  // Where there is no volume, Linux may make one.
  if (error.code === "CORRUPT" && isReadOnlyHere) return { verdict: "unbuilt", reason: error.message }
  if (["INVALID", "CORRUPT", "INTEGRITY"].includes(error.code)) return { verdict: "refused", reason: error.message }
  if (error.code === "UNSUPPORTED" || error.code === "REFUSED") return { verdict: "unbuilt", reason: error.message }
  throw error
}

async function runStep(device: BlockDevice, step: Step, pool: Uint8Array): Promise<StepOutcome> {
  try {
    if (step.kind === "read") return await readAll(device, step.offset, step.length)
    if (step.kind === "flush") await device.flush()
    else if (step.kind === "write")
      await device.write(step.offset, pool.slice(step.poolOffset, step.poolOffset + step.length))
    else if (step.kind === "zero") await device.writeZeroes(step.offset, step.length)
    else await device.discard(step.offset, step.length)
    return { kind: "done" }
  } catch (error) {
    if (!(error instanceof BlockError)) throw error
    const kinds = { IO: "io", INTEGRITY: "io", UNSUPPORTED: "unsupported", READ_ONLY: "read-only" } as const
    return { kind: kinds[error.code as keyof typeof kinds] ?? "other", detail: error.message }
  }
}
