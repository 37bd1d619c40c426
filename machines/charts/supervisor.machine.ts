/**
 * Who looks after a container, as a chart over the events of the container's ledger. The supervisor does not run by it: it
 * says what the ledger knows of supervisors, which is when one began, was replaced, and when there is none any more.
 */
import {setup} from 'xstate'
import type {LedgerEvent} from '../ledger/events.ts'

export interface SupervisorContext {
  /** Since when the present one has the container. */
  readonly since: string | undefined
  /** Of the present one; undefined for the first, of which the ledger does not tell it. */
  readonly pid: number | undefined
  /** How many took over from one that died. */
  readonly adoptions: number
}

const chart = setup({types: {context: {} as SupervisorContext, events: {} as LedgerEvent}})

const recordFirst = chart.assign(({event}) => ({since: event.time}))
const recordNext = chart.assign(({context, event}) => ({
  since: event.time,
  pid: event.type === 'supervisor.adopted' ? event.data.supervisorPid : undefined,
  adoptions: context.adoptions + 1,
}))
const recordNone = chart.assign({since: undefined, pid: undefined})

export const supervisorMachine = chart.createMachine({
  id: 'supervisor',
  description: 'Which supervisor has the container, from one supervisor to the next.',
  context: {since: undefined, pid: undefined, adoptions: 0},
  initial: 'absent',
  states: {
    absent: {
      description: 'The container does not exist yet.',
      on: {'container.create-requested': {target: 'first', actions: recordFirst}},
    },
    first: {
      description: 'The supervisor that created the container has it.',
      on: {
        'supervisor.adopted': {target: 'replaced', actions: recordNext},
        'supervisor.gave-up': {target: 'unsupervised', actions: recordNone},
        'container.deleted': 'ended',
      },
    },
    replaced: {
      description:
        'A supervisor has the container that took over from one that died. It folded the journal and finished what was in flight.',
      on: {
        'supervisor.adopted': {description: 'That supervisor died as well.', actions: recordNext},
        'supervisor.gave-up': {target: 'unsupervised', actions: recordNone},
        'container.deleted': 'ended',
      },
    },
    unsupervised: {
      description: 'The supervisors died too often: no other is started before the node is started again. The container runs on.',
      on: {'supervisor.adopted': {target: 'replaced', actions: recordNext}},
    },
    ended: {description: 'The container is gone, and so is its supervisor.', type: 'final'},
  },
})
