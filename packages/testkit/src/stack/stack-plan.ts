import type { BlockDevice, Runtime } from "@blockstrata/device"
import fc from "fast-check"
import type { DeviceWish } from "../conformance/conformance-options.ts"
import type { MediumShape } from "../media/medium-content.ts"
import { seededRuntime } from "../seeded-runtime.ts"
import type { CreateStack } from "./stack-session.ts"

/** What a layer finds below, and what it gives above. Bytes. */
export interface LayerShape {
  readonly blockSize: number
  readonly tagSize: number
  /** Nothing above can be formatted. */
  readonly isReadOnly?: boolean
  /** A crash may leave a block that nobody can read (`atomicSize` 0): nothing that packs several tags into one stands on it. */
  readonly isTearing?: boolean
}

/** What a layer is opened with. */
export interface LayerContext {
  readonly isNew: boolean
  readonly runtime: Runtime
  /** What formatting gave and opening needs, such as a root hash: empty where the media are new. */
  readonly kept: Map<string, unknown>
}

/** One kind of layer of which random stacks are made. `Options` is plain data, so that a stack can be printed. */
export interface LayerKind<Options = unknown> {
  readonly name: string
  readonly options: fc.Arbitrary<Options>
  /** The shape above; undefined where such a layer cannot stand on what is below. */
  shape(options: Options, below: LayerShape): LayerShape | undefined
  /** Bytes that the layer has where `size` are needed; the same if absent. */
  size?(options: Options, size: number): number
  /** Bytes below for `size` here. */
  lowerSize(options: Options, size: number): number
  /** Formatting writes every block: nobody asks for a great one. */
  readonly isEager?: boolean
  /** Formats, where the media are new and there is something to format. Owns `lower`. */
  open(options: Options, lower: BlockDevice, size: number, context: LayerContext): Promise<BlockDevice> | BlockDevice
}

/** A stack as data: what lies at the bottom, and the layers upwards. Those that do not fit where they stand are left out. */
export interface StackPlan {
  readonly medium: { readonly blockSize: number; readonly tagSize: number }
  readonly layers: readonly { readonly kind: string; readonly options: unknown }[]
}

const DEPTH_MAX = 4
const SIZE = 64 * 1024

/** Stacks of up to four layers, which shrink to the fewest. */
export function stackPlans(kinds: readonly LayerKind[], tagSizes: readonly number[]): fc.Arbitrary<StackPlan> {
  const layers = kinds.map((kind) => kind.options.map((options) => ({ kind: kind.name, options })))
  return fc.record({
    medium: fc.record({
      blockSize: fc.constantFrom(512, 4096),
      tagSize: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.constantFrom(0, ...tagSizes)),
    }),
    layers: fc.array(fc.oneof(...layers), { maxLength: DEPTH_MAX, size: "max" }),
  })
}

interface Fitting {
  readonly kind: LayerKind
  readonly options: unknown
}

/** The layers that fit where they stand. */
function fittingLayers(kinds: readonly LayerKind[], { medium, layers }: StackPlan): Fitting[] {
  let below: LayerShape = medium
  const fitting: Fitting[] = []
  for (const { kind: name, options } of layers) {
    const kind = kinds.find((one) => one.name === name)
    const shape = kind?.shape(options, below)
    if (kind === undefined || shape === undefined) continue
    fitting.push({ kind, options })
    below = shape
  }
  return fitting
}

/** `medium < layer < layer`, as a text for people. */
export function printPlan(kinds: readonly LayerKind[], plan: StackPlan): string {
  const { blockSize, tagSize } = plan.medium
  const layers = fittingLayers(kinds, plan).map(({ kind, options }) => `${kind.name} ${JSON.stringify(options)}`)
  return [`medium of ${blockSize}${tagSize > 0 ? ` + ${tagSize}` : ""}`, ...layers].join(" < ")
}

/** The function that makes and opens such a stack, for every suite. */
export function buildPlan(kinds: readonly LayerKind[], plan: StackPlan): CreateStack {
  const layers = fittingLayers(kinds, plan)
  let kept: Map<string, unknown>[] = []
  return async ({ medium, isNew, minimumSizeBytes }: DeviceWish) => {
    if (isNew) kept = layers.map(() => new Map())
    const isEager = layers.some(({ kind }) => kind.isEager === true)
    const sizes: number[] = []
    let size = Math.max(SIZE, isEager ? 0 : minimumSizeBytes)
    for (const { kind, options } of [...layers].reverse()) {
      size = kind.size?.(options, size) ?? size
      sizes.unshift(size)
      size = kind.lowerSize(options, size)
    }
    const shape: MediumShape = { ...plan.medium, size: Math.ceil(size / 4096) * 4096 }
    let device = medium("disk", shape)
    const runtime = seededRuntime(1)
    for (const [index, { kind, options }] of layers.entries()) {
      const context = { isNew, runtime, kept: kept[index] ?? new Map<string, unknown>() }
      device = await kind.open(options, device, sizes[index] ?? 0, context)
    }
    return device
  }
}
