import {describe, expect, it} from 'vitest'
import type {Command} from '../../../../machines/commands/commands.ts'
import type {Decision} from '../../../../machines/commands/decision.ts'
import {topLevelStates, type TopLevelState} from '../../../../machines/charts/states.ts'
import {epoch, given, happen} from '../../../support/given.ts'
import {histories, killing, stopping} from '../../support/histories.ts'

const commands = {
  create: {type: 'create', request: happen.createRequested.data.request},
  start: {type: 'start'},
  kill: {type: 'kill', signal: 'SIGHUP'},
  stop: {type: 'stop', signal: 'SIGTERM', graceMs: 10_000},
  pause: {type: 'pause'},
  resume: {type: 'resume'},
  delete: {type: 'delete', force: false},
  forcedDelete: {type: 'delete', force: true},
} as const satisfies Record<string, Command>
type Name = keyof typeof commands

const table: Readonly<Record<TopLevelState, Readonly<Record<Name, Decision['type']>>>> = {
  absent: {
    create: 'accept',
    start: 'reject',
    kill: 'reject',
    stop: 'reject',
    pause: 'reject',
    resume: 'reject',
    delete: 'reject',
    forcedDelete: 'reject',
  },
  creating: {
    create: 'defer',
    start: 'defer',
    kill: 'defer',
    stop: 'defer',
    pause: 'defer',
    resume: 'defer',
    delete: 'defer',
    forcedDelete: 'defer',
  },
  created: {
    create: 'reject',
    start: 'accept',
    kill: 'accept',
    stop: 'reject',
    pause: 'reject',
    resume: 'reject',
    delete: 'accept',
    forcedDelete: 'accept',
  },
  starting: {
    create: 'defer',
    start: 'defer',
    kill: 'defer',
    stop: 'defer',
    pause: 'defer',
    resume: 'defer',
    delete: 'defer',
    forcedDelete: 'defer',
  },
  running: {
    create: 'reject',
    start: 'reject',
    kill: 'accept',
    stop: 'accept',
    pause: 'accept',
    resume: 'reject',
    delete: 'reject',
    forcedDelete: 'accept',
  },
  stopped: {
    create: 'reject',
    start: 'reject',
    kill: 'reject-ended',
    stop: 'satisfied',
    pause: 'reject',
    resume: 'reject',
    delete: 'accept',
    forcedDelete: 'accept',
  },
  waiting: {
    create: 'reject',
    start: 'reject',
    kill: 'reject-ended',
    stop: 'accept',
    pause: 'reject',
    resume: 'reject',
    delete: 'accept',
    forcedDelete: 'accept',
  },
  failed: {
    create: 'reject',
    start: 'reject',
    kill: 'reject-ended',
    stop: 'satisfied',
    pause: 'reject',
    resume: 'reject',
    delete: 'accept',
    forcedDelete: 'accept',
  },
  deleting: {
    create: 'defer',
    start: 'defer',
    kill: 'defer',
    stop: 'defer',
    pause: 'defer',
    resume: 'defer',
    delete: 'join',
    forcedDelete: 'join',
  },
  deleted: {
    create: 'reject',
    start: 'reject',
    kill: 'reject',
    stop: 'reject',
    pause: 'reject',
    resume: 'reject',
    delete: 'reject',
    forcedDelete: 'reject',
  },
}

const cases = topLevelStates.flatMap((state) =>
  Object.entries(table[state]).map(([name, decision]) => ({
    state,
    name,
    decision,
    command: new Map<string, Command>(Object.entries(commands)).get(name),
  })),
)

describe('a command meets a state', () => {
  it.each(cases)('$name in $state: $decision', ({state, command, decision}) => {
    expect(command && given(...histories[state]).when(command).type).toBe(decision)
  })

  it.each<[TopLevelState, readonly string[]]>([
    ['absent', []],
    ['created', ['start', 'kill', 'update', 'delete']],
    ['running', ['kill', 'stop', 'pause', 'checkpoint', 'update']],
    ['stopped', ['delete']],
    ['failed', ['delete']],
    ['deleted', []],
  ])('a rejection in %s names the state and the legal commands', (state, legal) => {
    const rejected = given(...histories[state]).when(state === 'absent' ? commands.start : commands.create)
    expect(rejected).toEqual({type: 'reject', state, legal})
  })
})

describe('an accepted command', () => {
  it.each<[Name, TopLevelState, unknown]>([
    ['create', 'absent', happen.createRequested],
    ['start', 'created', happen.startRequested],
    ['kill', 'running', happen.killRequested],
    ['stop', 'running', happen.stopRequested],
    ['delete', 'stopped', {type: 'container.delete-requested', data: {force: false}}],
    ['forcedDelete', 'running', {type: 'container.delete-requested', data: {force: true}}],
  ])('%s becomes its intent event', (name, state, draft) => {
    expect(given(...histories[state]).when(commands[name])).toEqual({type: 'accept', draft})
  })

  it('carries the reason of a delete', () => {
    expect(given(...histories.stopped).when({type: 'delete', force: false, reason: 'auto-remove'})).toEqual({
      type: 'accept',
      draft: {type: 'container.delete-requested', data: {force: false, reason: 'auto-remove'}},
    })
  })

  it('has a deadline that is the current time plus the grace period', () => {
    expect(given(...histories.running).when({type: 'stop', signal: 'SIGINT', graceMs: 1})).toEqual({
      type: 'accept',
      draft: {type: 'container.stop-requested', data: {signal: 'SIGINT', dueAt: new Date(epoch + 1).toISOString()}},
    })
  })
})

describe('a stop in progress', () => {
  it('accepts another deadline before the first has passed', () => {
    expect(given(...stopping).when({type: 'stop', signal: 'SIGTERM', graceMs: 0})).toMatchObject({type: 'accept'})
  })

  it('is joined once SIGKILL has been sent', () => {
    expect(given(...killing).when(commands.stop)).toEqual({type: 'join'})
  })

  it('does not prevent a kill or a forced delete', () => {
    for (const history of [stopping, killing]) {
      expect(given(...history).when(commands.kill).type).toBe('accept')
      expect(given(...history).when(commands.forcedDelete).type).toBe('accept')
    }
  })
})
