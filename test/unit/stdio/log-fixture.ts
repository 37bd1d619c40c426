/** Logs written for a test, in a directory that is removed at the end of its scope. */
import {writeFileSync} from 'node:fs'
import {join} from 'node:path'
import fc from 'fast-check'
import type {StreamName} from '../../../src/stdio/streams.ts'
import {encodeChunk} from '../../support/encode-chunk.ts'
import {makeTempDir} from '../support/temp-dir.ts'

export interface Chunk {
  readonly stream: StreamName
  readonly bytes: Uint8Array
}

export const atMs = Date.parse('2026-01-02T03:04:05.123Z')
export const out = (text: string): Chunk => ({stream: 'stdout', bytes: Buffer.from(text)})
export const encode = (chunks: readonly Chunk[]) => Buffer.concat(chunks.map((chunk) => encodeChunk({...chunk, atMs})))

export function makeLog(...chunks: readonly Chunk[]) {
  const dir = makeTempDir()
  const path = join(dir.path, 'log')
  writeFileSync(path, encode(chunks))
  return {path, [Symbol.dispose]: () => dir[Symbol.dispose]()}
}

export const chunks = fc.array(
  fc.record({
    stream: fc.constantFrom<StreamName[]>('stdout', 'stderr'),
    bytes: fc.oneof(
      fc.uint8Array({minLength: 1, maxLength: 40}),
      fc.stringMatching(/^[a-c\n]{1,20}$/).map((text) => Buffer.from(text)),
    ),
  }),
  {maxLength: 20},
)
