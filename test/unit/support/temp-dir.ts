import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

/** A directory that is removed at the end of its scope: `using dir = makeTempDir()`. */
export function makeTempDir(): Disposable & {readonly path: string} {
  const path = mkdtempSync(join(tmpdir(), 'tally-unit-'))
  return {path, [Symbol.dispose]: () => rmSync(path, {recursive: true, force: true})}
}
