import {expect, it} from 'vitest'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {createExitWaits} from '../../../../src/coordinator/sleepers/exit-waits.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'
import {given, happen, toHistory} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const name = {namespace: 'default', id: 'web'}

function open(...drafts: readonly Draft[]) {
  const clock = createFakeClock(0)
  let history = drafts
  const waits = createExitWaits({node: 'node', find: () => given(...history).ledger, clock})
  return {
    clock,
    waits,
    journal: (...more: readonly Draft[]) => {
      history = [...history, ...more]
    },
    /** As the stream has it: the event after those that were folded. */
    publish: (folded: readonly Draft[], draft: Draft) => {
      const [event] = toHistory([draft], folded.length + 1)
      if (event) waits.observer.onFolded(event, given(...folded, draft).ledger)
    },
  }
}

it('an exit is told at once when the stream has it', async () => {
  const {waits, publish} = open(...histories.running)
  const wait = waits.wait(name, {})
  publish(histories.running, happen.exited)
  expect((await wait).snapshot.context.exited).toBeDefined()
})

it('an exit is told when the journal has it and the stream does not', async () => {
  const {clock, waits, journal} = open(...histories.running)
  const wait = waits.wait(name, {})
  clock.advance(2_000)
  journal(happen.exited)
  clock.advance(500)
  expect((await wait).snapshot.context.exited).toBeDefined()
  clock.advance(500)
  expect(clock.armed).toBe(0)
})

it('an exit that the stream brings late, from before the wait, is not the one', async () => {
  const restarted = [...histories.waiting, happen.restartDue, happen.created, happen.startRequested, happen.started]
  const {clock, waits, publish} = open(...restarted)
  const wait = waits.wait(name, {waitMs: 1_000})
  publish(histories.waiting.slice(0, 4), happen.exited)
  clock.advance(1_000)
  await expect(wait).rejects.toMatchObject({code: 'TIMED_OUT', details: {timeoutMs: 1_000}})
})

it('a container that is deleted without an exit ends the wait', async () => {
  const {waits, publish} = open(...histories.created)
  const wait = waits.wait(name, {})
  publish([...histories.created, happen.deleteRequested], happen.deleted)
  expect((await wait).latest?.type).toBe('container.deleted')
})

it('a process that was never added has no exit', async () => {
  const {waits} = open(...histories.running)
  await expect(waits.wait(name, {exec: 'none'})).rejects.toMatchObject({code: 'EXEC_NOT_FOUND'})
})
