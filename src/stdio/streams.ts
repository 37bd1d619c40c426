/** A piece of one of the two streams of output. */
import type {StreamName} from '../../machines/schemas/streams.ts'

export type {StreamName}

export interface OutputChunk {
  readonly stream: StreamName
  /** How many bytes of this stream came before, since the container was created. */
  readonly offset: number
  /** When it was read, epoch milliseconds. */
  readonly atMs: number
  readonly bytes: Uint8Array
}
