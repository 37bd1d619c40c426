import {type ChildProcess, spawn} from 'node:child_process'
import {closeSync, constants, existsSync, mkdirSync, openSync, readFileSync, readSync, rmSync, writeFileSync, writeSync} from 'node:fs'
import {join} from 'node:path'
import {afterEach, expect, it} from 'vitest'
import {restoreContainers} from '../../../../src/coordinator/directories/restore-run-dir.ts'
import {openFileJournal} from '../../../../src/journal/file-journal.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {toContainerLayout} from '../../../../src/layout/container-layout.ts'
import {makeFifo} from '../../../../src/linux/fifo.ts'
import {readProcessIdentity} from '../../../../src/linux/process-table.ts'
import {happen, toHistory} from '../../../support/given.ts'
import {makeTempDir} from '../../../support/temp-dir.ts'

const name = {namespace: 'default', id: 'web'}
let init: ChildProcess | undefined
afterEach(() => void init?.kill('SIGKILL'))

/** A container whose init is a `cat` with FIFOs for all of its streams, and whose runtime state was copied. */
function startContainer(path: string) {
  const directories = {stateDir: join(path, 'state'), runDir: join(path, 'run')}
  const layout = toContainerLayout(directories, name, '')
  const fifos = ['stdin', 'stdout', 'stderr'].map((stream) => join(layout.fifoDir, stream))
  mkdirSync(layout.fifoDir, {recursive: true})
  for (const fifo of fifos) makeFifo(fifo, 0o600)
  const fds = fifos.map((fifo) => openSync(fifo, constants.O_RDWR))
  init = spawn('cat', {stdio: [fds[0], fds[1], fds[2]]})
  for (const fd of fds) closeSync(fd)
  const identity = readProcessIdentity(init.pid ?? 0)
  if (!identity) throw new Error('cat was not started')
  mkdirSync(layout.stateDir, {recursive: true})
  writeFileSync(layout.runtimeState, '{"id":"web"}')
  const created = {...happen.created, data: {...happen.created.data, init: identity}}
  using journal = openFileJournal(layout.journal)
  for (const event of toHistory([happen.createRequested, created, happen.startRequested, happen.started])) journal.append(event)
  return {directories, layout, fifos, runtimeState: join(layout.runtimeRoot, 'web/state.json')}
}

/** Through the names, as the next supervisor opens them. */
async function echo([stdin = '', stdout = '']: readonly string[], text: string): Promise<string> {
  const [input, output] = [
    openSync(stdin, constants.O_RDWR | constants.O_NONBLOCK),
    openSync(stdout, constants.O_RDWR | constants.O_NONBLOCK),
  ]
  try {
    writeSync(input, text)
    const bytes = Buffer.alloc(100)
    for (;;) {
      try {
        return bytes.subarray(0, readSync(output, bytes)).toString()
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
  } finally {
    for (const fd of [input, output]) closeSync(fd)
  }
}

it('a run directory that was wiped leads to the very pipes that the container has open, and has the state of the runtime', async () => {
  await using dir = makeTempDir()
  const {directories, fifos, runtimeState} = startContainer(dir.path)
  rmSync(directories.runDir, {recursive: true})
  restoreContainers(directories, 'absent', silentLogger)
  expect(await echo(fifos, 'one\n')).toBe('one\n')
  expect(readFileSync(runtimeState, 'utf8')).toBe('{"id":"web"}')
  restoreContainers(directories, 'all', silentLogger)
  expect(await echo(fifos, 'two\n')).toBe('two\n')
})

it('a run directory that a coordinator has put back in part before it was killed is put back to its end', async () => {
  await using dir = makeTempDir()
  const {directories, layout, fifos, runtimeState} = startContainer(dir.path)
  for (const made of [0, 1, 2, 3]) {
    rmSync(directories.runDir, {recursive: true})
    restoreContainers(directories, 'all', silentLogger)
    // It has made so many links, and begun with the directory of the runtime.
    for (const fifo of fifos.slice(made)) rmSync(fifo)
    rmSync(layout.runtimeRoot, {recursive: true})
    mkdirSync(join(layout.runtimeRoot, 'web.new'), {recursive: true})
    writeFileSync(join(layout.runtimeRoot, 'web.new/state.json'), '{"i')
    restoreContainers(directories, 'all', silentLogger)
    expect(fifos.filter((fifo) => !existsSync(fifo))).toEqual([])
    expect(await echo(fifos, `${made}\n`)).toBe(`${made}\n`)
    expect(readFileSync(runtimeState, 'utf8')).toBe('{"id":"web"}')
    expect(existsSync(join(layout.runtimeRoot, 'web.new'))).toBe(false)
  }
})

it('a container that has ended gets no run directory', async () => {
  await using dir = makeTempDir()
  const {directories} = startContainer(dir.path)
  rmSync(directories.runDir, {recursive: true})
  const ended = new Promise((resolve) => init?.once('exit', resolve))
  init?.kill('SIGKILL')
  await ended
  restoreContainers(directories, 'all', silentLogger)
  expect(existsSync(directories.runDir)).toBe(false)
})
