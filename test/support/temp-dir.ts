import {rm} from 'node:fs/promises'
import {makeRunDirectory} from './test-run.ts'

export interface TempDir extends AsyncDisposable {
  readonly path: string
}

/** A directory that is removed with its scope: `await using dir = makeTempDir()`. */
export function makeTempDir(): TempDir {
  const path = makeRunDirectory('it')
  return {path, [Symbol.asyncDispose]: () => rm(path, {recursive: true, force: true})}
}
