import {mkdtempSync} from 'node:fs'
import {rm} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'

export interface TempDir extends AsyncDisposable {
  readonly path: string
}

/** A directory in /tmp that goes with its scope: `await using dir = makeTempDir()`. */
export function makeTempDir(): TempDir {
  const path = mkdtempSync(join(tmpdir(), 'tally-it-'))
  return {path, [Symbol.asyncDispose]: () => rm(path, {recursive: true, force: true})}
}
