/** Which file is the shim: the packed package has it for several processors. */
import {join} from 'node:path'

/**
 * `TALLY_SHIM` names another build of it, with a sanitizer for example.
 * @param dist the directory of the built programs
 */
export function shimProgram(dist: string, {TALLY_SHIM: other}: NodeJS.ProcessEnv = process.env): string {
  return other || join(dist, process.arch, 'tally-shim')
}
