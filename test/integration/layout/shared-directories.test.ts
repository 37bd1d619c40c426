import {mkdirSync, readdirSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {describe, expect, it} from 'vitest'
import {makeTempDir} from '../../support/temp-dir.ts'

const program = join(import.meta.dirname, '../../fixtures/programs/share-directories.ts')

describe('directories that containers share', () => {
  it('are there while a process works in them, and removed with the last, however many come and go at once', async () => {
    await using dir = makeTempDir()
    for (const name of ['state', 'run']) mkdirSync(join(dir.path, name))
    const lives = ['a', 'b', 'c', 'd'].map((id) => execa(process.execPath, [program, dir.path, id, '300'], {reject: false}))
    expect((await Promise.all(lives)).map(({exitCode, stderr}) => ({exitCode, stderr}))).toEqual(
      lives.map(() => ({exitCode: 0, stderr: ''})),
    )
    expect(['state/containers', 'run/containers', 'run/runc'].flatMap((name) => readdirSync(join(dir.path, name)))).toEqual([])
  })
})
