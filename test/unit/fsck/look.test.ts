import {mkdirSync, symlinkSync, utimesSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openFileJournal} from '../../../src/journal/file-journal.ts'
import {look, readNodeName} from '../../../src/fsck/look.ts'
import {goldenJournals} from '../../replay/golden-journals.ts'
import {makeTempDir} from '../support/temp-dir.ts'

const lines = goldenJournals.find(({name}) => name === '0.4.0/republished')?.lines ?? []
const now = Date.parse('2026-12-01T00:00:00.000Z')

/** A state directory and a run directory as a node leaves them. */
function makeTree(root: string): {readonly stateDir: string; readonly runDir: string} {
  const [stateDir, runDir] = [join(root, 'state'), join(root, 'run')]
  const put = (path: string, text?: string) => {
    mkdirSync(text === undefined ? path : join(path, '..'), {recursive: true})
    if (text !== undefined) writeFileSync(path, text)
  }
  put(join(stateDir, 'node'), 'n1\n')
  put(join(stateDir, 'containers/default/kept/journal.jsonl'), `${lines.join('\n')}\n`)
  put(join(stateDir, 'containers/other/empty'))
  utimesSync(join(stateDir, 'containers/other/empty'), now / 1_000 - 90, now / 1_000 - 90)
  put(join(stateDir, 'containers/default/.hidden'))
  put(join(stateDir, 'containers/default/file'), '')
  symlinkSync('/', join(stateDir, 'containers/default/link'))
  put(join(runDir, 'containers/default/kept/io/stdout'), '')
  put(join(runDir, 'containers/default/left/io/stdout'), '')
  put(join(runDir, 'runc/default/kept/state.json'), '{}')
  put(join(runDir, 'runc/default/ghost/state.json'), '{}')
  return {stateDir, runDir}
}

const idle = {
  askRuntime: async () => 'stopped',
  readStream: async () => ({type: 'read', lives: []}) as const,
  compare: async () => ({kept: lines.length, wrong: []}),
  now: () => now,
}

describe('a survey', () => {
  it('has the containers of the state directory by name, with their files', async () => {
    using dir = makeTempDir()
    const survey = await look('n1', makeTree(dir.path), idle)
    expect(survey.containers).toMatchObject([
      {
        namespace: 'default',
        id: 'kept',
        journal: {type: 'whole', state: 'stopped'},
        holder: undefined,
        hasFifos: true,
        isInitAlive: false,
        runtimeStatus: 'stopped',
        streamed: {kept: lines.length},
      },
      {
        namespace: 'other',
        id: 'empty',
        journal: {type: 'missing'},
        ageMs: 90_000,
        hasFifos: false,
        runtimeStatus: undefined,
        streamed: undefined,
      },
    ])
    expect(survey).toMatchObject({node: 'n1', isCoordinated: false, supervised: [], mounts: []})
  })

  it('has everything in the runtime and the run directory, also without a container', async () => {
    using dir = makeTempDir()
    const tree = makeTree(dir.path)
    const {runtime, runDirs} = await look('n1', tree, idle)
    expect(runtime.map(({id}) => id).sort()).toEqual(['ghost', 'kept'])
    expect(runDirs).toEqual([
      {namespace: 'default', id: 'kept', path: join(tree.runDir, 'containers/default/kept')},
      {namespace: 'default', id: 'left', path: join(tree.runDir, 'containers/default/left')},
    ])
  })

  it('has the process that locks a journal, without locking it', async () => {
    using dir = makeTempDir()
    const tree = makeTree(dir.path)
    using _journal = openFileJournal(join(tree.stateDir, 'containers/default/kept/journal.jsonl'))
    const {containers} = await look('n1', tree, idle)
    expect(containers[0]?.holder).toBe(process.pid)
  })

  it('omits the runtime and the stream when they are not available', async () => {
    using dir = makeTempDir()
    const {containers, stream} = await look('n1', makeTree(dir.path), {
      ...idle,
      askRuntime: () => Promise.reject(new Error('no runc')),
      readStream: async () => ({type: 'unreachable', why: 'no server'}),
    })
    expect(containers[0]).toMatchObject({runtimeStatus: 'unasked', streamed: undefined})
    expect(stream).toEqual({type: 'unreachable', why: 'no server'})
  })

  it('reads the name of the node from the state directory, or from a journal', () => {
    using dir = makeTempDir()
    const {stateDir} = makeTree(dir.path)
    expect(readNodeName(stateDir)).toBe('n1')
    writeFileSync(join(stateDir, 'node'), '../../etc\n')
    expect(readNodeName(stateDir)).toBeUndefined()
    expect(readNodeName(join(dir.path, 'nowhere'))).toBeUndefined()
  })
})
