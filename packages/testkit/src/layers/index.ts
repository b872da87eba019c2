import type { LayerKind } from "../stack/stack-plan.ts"
import { aeadLayer, sectorCryptLayer } from "./crypt-layers.ts"
import { idleFaultLayer, logWritesLayer } from "./fault-layers.ts"
import { integrityLayer, sealedTagsLayer } from "./integrity-layers.ts"
import { linearLayer, mirrorLayer, stripedLayer } from "./range-layers.ts"
import { verityLayer } from "./verity-layer.ts"

/** Every target that exists, for `testStacks`. */
export const standardLayers: readonly LayerKind[] = [
  linearLayer,
  stripedLayer,
  mirrorLayer,
  sectorCryptLayer,
  aeadLayer,
  integrityLayer,
  sealedTagsLayer,
  verityLayer,
  idleFaultLayer,
  logWritesLayer,
] as readonly LayerKind[]

/** Bytes of tag of the media on which the AEADs among them can stand directly. */
export const standardTagSizes: readonly number[] = [28, 32, 48]
