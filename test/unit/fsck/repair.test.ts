import {existsSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {createSystemClock} from '../../../src/kernel/clock.ts'
import {createRepairs} from '../../../src/fsck/repair.ts'
import {makeTempDir} from '../support/temp-dir.ts'

const name = {namespace: 'default', id: 'old'} as const

function makeNode(root: string) {
  const directories = {stateDir: join(root, 'state'), runDir: join(root, 'run')}
  const runDir = join(directories.runDir, 'containers/default/old')
  const stateDir = join(directories.stateDir, 'containers/default/old')
  mkdirSync(join(runDir, 'io'), {recursive: true})
  mkdirSync(directories.stateDir, {recursive: true})
  const calls: string[] = []
  const repairs = createRepairs(directories, {
    deleteFromRuntime: async ({id}) => {
      calls.push(`delete ${id}, id taken: ${existsSync(stateDir)}`)
    },
    republish: async ({id}) => {
      calls.push(`republish ${id}`)
    },
    clock: createSystemClock(),
  })
  return {repairs, runDir, stateDir, calls}
}

describe('a repair', () => {
  it('removes a run directory and its empty parent', async () => {
    using dir = makeTempDir()
    const {repairs, runDir, stateDir} = makeNode(dir.path)
    await repairs['remove-run-dir']({type: 'remove-run-dir', ...name})
    expect([existsSync(runDir), existsSync(join(runDir, '..')), existsSync(stateDir)]).toEqual([false, false, false])
  })

  it('reserves the id while the runtime deletes, and releases it', async () => {
    using dir = makeTempDir()
    const {repairs, stateDir, calls} = makeNode(dir.path)
    await repairs['delete-from-runtime']({type: 'delete-from-runtime', ...name})
    expect([calls, existsSync(stateDir)]).toEqual([['delete old, id taken: true'], false])
  })

  it('does nothing when the id is in use', async () => {
    using dir = makeTempDir()
    const {repairs, runDir, stateDir, calls} = makeNode(dir.path)
    mkdirSync(stateDir, {recursive: true})
    const inUse = {code: 'CONTAINER_EXISTS'}
    await expect(repairs['remove-run-dir']({type: 'remove-run-dir', ...name})).rejects.toMatchObject(inUse)
    await expect(repairs['delete-from-runtime']({type: 'delete-from-runtime', ...name})).rejects.toMatchObject(inUse)
    expect([existsSync(join(runDir, 'io')), existsSync(stateDir), calls]).toEqual([true, true, []])
  })

  it('removes a state directory only if it has no journal', async () => {
    using dir = makeTempDir()
    const {repairs, stateDir} = makeNode(dir.path)
    mkdirSync(join(stateDir, 'rootfs'), {recursive: true})
    writeFileSync(join(stateDir, 'journal.jsonl'), '{}\n')
    const repair = {type: 'remove-state-dir', ...name} as const
    await expect(repairs['remove-state-dir'](repair)).rejects.toMatchObject({code: 'CONTAINER_EXISTS'})
    writeFileSync(join(stateDir, 'journal.jsonl'), '')
    await repairs['remove-state-dir'](repair)
    expect(existsSync(stateDir)).toBe(false)
    await repairs['remove-state-dir'](repair)
  })

  it('does not follow a symbolic link', async () => {
    using dir = makeTempDir()
    const {repairs, runDir} = makeNode(dir.path)
    const elsewhere = join(dir.path, 'elsewhere')
    mkdirSync(join(elsewhere, 'precious'), {recursive: true})
    const {runDir: _, ...other} = {runDir, namespace: 'default', id: 'link'}
    symlinkSync(elsewhere, join(runDir, '../link'))
    await expect(repairs['remove-run-dir']({type: 'remove-run-dir', ...other})).rejects.toMatchObject({code: 'STATE_DIR_INVALID'})
    expect(existsSync(join(elsewhere, 'precious'))).toBe(true)
  })

  it.each(['../../etc', 'a/b', '', '.'])('rejects an invalid name: %j', async (id) => {
    using dir = makeTempDir()
    const {repairs, calls} = makeNode(dir.path)
    await expect(repairs['remove-run-dir']({type: 'remove-run-dir', namespace: 'default', id})).rejects.toThrow(
      'expected the name of a container',
    )
    await expect(repairs['delete-from-runtime']({type: 'delete-from-runtime', namespace: id, id: 'x'})).rejects.toThrow('expected the name')
    await expect(repairs['remove-state-dir']({type: 'remove-state-dir', namespace: 'default', id})).rejects.toThrow('expected the name')
    expect(calls).toEqual([])
  })

  it.each(['/', '/user.slice', '/tally-x/../user.slice', 'tally-x'])(
    'does not remove a cgroup that belongs to no container: %s',
    async (path) => {
      using dir = makeTempDir()
      const {repairs} = makeNode(dir.path)
      await expect(repairs['remove-cgroup']({type: 'remove-cgroup', path, ...name})).rejects.toThrow('expected a group of a container')
    },
  )
})
