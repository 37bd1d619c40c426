/** The same program as another version, built in a directory of its own: what an upgrade finds installed. */
import {cpSync, readFileSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'

const root = join(import.meta.dirname, '../..')

export interface OtherBuild {
  readonly root: string
  /** The command of that version. */
  readonly tally: string
}

/** @param dir a directory that exists, and is removed by the caller */
export async function buildOther(dir: string, version: string): Promise<OtherBuild> {
  for (const name of ['bin', 'scripts', 'src', 'machines', 'tsconfig.json']) cpSync(join(root, name), join(dir, name), {recursive: true})
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  const manifest: object = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  writeFileSync(join(dir, 'package.json'), JSON.stringify({...manifest, version}))
  await execa(process.execPath, ['scripts/build.mjs'], {cwd: dir})
  return {root: dir, tally: join(dir, 'bin/tally')}
}
