import {createHash} from 'node:crypto'
import {readFileSync} from 'node:fs'

/** Of a bundled program: it names the other files that it is made of by their digests, so this is one of the whole. */
export function digestProgram(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 16)
}
