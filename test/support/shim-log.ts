/** The writer of logs, that of the shim, without a shim around it: `tally-shim-tests append`. */
import {execFileSync} from 'node:child_process'
import {resolve} from 'node:path'
import type {StreamName} from '../../src/stdio/streams.ts'

const root = resolve(import.meta.dirname, '../..')
const program = resolve(root, 'dist/tally-shim-tests')

export interface WrittenLog {
  readonly position: number
  readonly stdout: number
  readonly stderr: number
}

/** Call it before all. */
export function buildShimTests(): void {
  execFileSync('sh', ['scripts/build-shim.sh', '--test'], {cwd: root})
}

/**
 * Opens the log, appends pieces, each of which has been read at once, and closes it.
 * @param rotation never when absent
 * @returns what the writer has counted, since create
 */
export function appendToLog(
  path: string,
  pieces: readonly {readonly stream: StreamName; readonly bytes: Uint8Array}[],
  {maxBytes = 0, maxFiles = 0}: {readonly maxBytes?: number; readonly maxFiles?: number} = {},
): WrittenLog {
  const input = Buffer.concat(
    pieces.flatMap(({stream, bytes}) => {
      const header = Buffer.alloc(5)
      header.writeUInt8(stream === 'stderr' ? 1 : 0)
      header.writeUInt32LE(bytes.length, 1)
      return [header, bytes]
    }),
  )
  const said = execFileSync(program, ['append', path, String(maxBytes), String(maxFiles)], {input, encoding: 'utf8'})
  const [position = 0, stdout = 0, stderr = 0] = said.trim().split(' ').map(Number)
  return {position, stdout, stderr}
}
