import {describe, expect, it} from 'vitest'
import type {Command} from '../../../../machines/commands/commands.ts'
import {decide} from '../../../../machines/commands/decide.ts'
import type {Draft} from '../../../../machines/ledger/draft.ts'
import {toAcceptedCommands} from '../../../../machines/ledger/accepted-command.ts'
import {foldEvents} from '../../../../machines/ledger/ledger.ts'
import {epoch, happen, toHistory} from '../../../support/given.ts'
import {histories} from '../../support/histories.ts'

const spec = {args: ['true'], env: [], terminal: true, stdin: true, autoRemove: false}
const added: Draft = {type: 'exec.added', data: {exec: 'e1', spec}}
const withExec = [...histories.running, added]
const waiting = [{...happen.createRequested, data: {request: {...happen.createRequested.data.request, stdin: true}}}, happen.created]

const accepted: readonly (readonly [readonly Draft[], Command])[] = [
  [[], {type: 'create', request: happen.createRequested.data.request}],
  [histories.created, {type: 'start'}],
  [histories.running, {type: 'kill', signal: 'SIGTERM'}],
  [histories.running, {type: 'stop', signal: 'SIGTERM', graceMs: 1}],
  [histories.running, {type: 'pause'}],
  [waiting, {type: 'close-stdin'}],
  [histories.running, {type: 'checkpoint', checkpoint: {image: '/image', leaveRunning: false}}],
  [histories.running, {type: 'update', limits: {memoryBytes: 1024}}],
  [histories.stopped, {type: 'delete', force: false}],
  [histories.running, {type: 'exec', exec: 'e1', spec}],
  [withExec, {type: 'exec-start', exec: 'e1'}],
  [withExec, {type: 'exec-delete', exec: 'e1'}],
]

describe('toAcceptedCommands', () => {
  it.each(accepted)('has the command of the event that accepts it: %#', (history, command) => {
    const decision = decide(foldEvents(toHistory(history)), command, epoch)
    if (decision.type !== 'accept') throw new Error(`${command.type}: ${decision.type}`)
    const [event] = toHistory([decision.draft], history.length + 1)
    expect(event && toAcceptedCommands(event)).toEqual([command.type])
  })

  it('has a stop and a kill of a container that waits for its restart', () => {
    const [event] = toHistory([{type: 'container.restart-cancelled', data: {}}])
    expect(event && toAcceptedCommands(event)).toEqual(['stop', 'kill'])
  })

  it('has none of an event that is an outcome, or that follows from another event', () => {
    const [outcome] = toHistory([happen.started])
    expect(outcome && toAcceptedCommands(outcome)).toEqual([])
    const [deletion] = toHistory([happen.deleteRequested])
    expect(deletion && toAcceptedCommands({...deletion, causationId: 'u1:5'})).toEqual([])
  })
})
