import {spawn} from 'node:child_process'
import {expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {readProcessIdentity} from '../../../../src/linux/process-table.ts'
import {createExecProcesses} from '../../../../src/supervisor/processes/exec-processes.ts'
import type {OnProcessExit} from '../../../../src/supervisor/processes/process-watcher.ts'
import {epoch} from '../../../support/given.ts'

it('reports the exit of an added process, and kills those that are left', async () => {
  const exits: OnProcessExit[] = []
  const observed: Draft[] = []
  const execs = createExecProcesses({
    watch: (_, onExit) => void exits.push(onExit),
    observe: async (draft) => {
      observed.push(draft)
      return undefined
    },
  })
  const child = spawn('sleep', ['600'])
  const ended = new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  const identity = child.pid === undefined ? undefined : readProcessIdentity(child.pid)
  if (!identity) throw new Error('expected a process')
  execs.watch('one', identity)
  execs.killAll()
  expect(await ended).toBe('SIGKILL')
  await exits[0]?.({exit: {type: 'signal', signal: 'SIGKILL'}, source: 'waitid', seenAtMs: epoch, seenBootMs: 1})
  expect(observed).toEqual([
    {
      type: 'exec.exited',
      data: {exec: 'one', exit: {type: 'signal', signal: 'SIGKILL'}, exitedAt: new Date(epoch).toISOString(), source: 'waitid'},
    },
  ])
  // It is gone: another process may have its pid.
  execs.killAll()
})
