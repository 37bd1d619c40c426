/** The two streams of output, and a piece of one. */

export type StreamName = 'stdout' | 'stderr'

export interface OutputChunk {
  readonly stream: StreamName
  /** How many bytes of this stream came before, since the container was created. */
  readonly offset: number
  /** When it was read, epoch milliseconds. */
  readonly atMs: number
  readonly bytes: Uint8Array
}
