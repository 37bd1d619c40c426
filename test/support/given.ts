/** given(events).when(command).then(…): the shape of every test of the chart. */
import type {Command} from '../../machines/commands/commands.ts'
import {decide} from '../../machines/commands/decide.ts'
import type {Decision} from '../../machines/commands/decision.ts'
import type {Draft} from '../../machines/ledger/draft.ts'
import type {Effect} from '../../machines/charts/effects.ts'
import type {LedgerEvent} from '../../machines/ledger/events.ts'
import {applyEvent, emptyLedger, foldEvents, type Ledger, toTopLevelState} from '../../machines/ledger/ledger.ts'

export const epoch = Date.parse('2026-01-02T03:04:05.000Z')

/** Drafts become a history, a second apart. */
export function toHistory(drafts: readonly Draft[], firstSequence = 1): readonly LedgerEvent[] {
  return drafts.map((draft, index) => ({
    ...draft,
    time: new Date(epoch + (firstSequence - 1 + index) * 1000).toISOString(),
    sequence: firstSequence + index,
    uid: 'u1',
    source: '/tally/node/default/web',
    actor: 'test',
    correlationId: 'c1',
    causationId: undefined,
  }))
}

export function given(...drafts: readonly Draft[]) {
  const ledger = foldEvents(toHistory(drafts))
  return {
    ledger,
    when: (command: Command): Decision => decide(ledger, command, epoch),
    /** What follows from one more event. */
    then: (draft: Draft): {readonly state: string; readonly effects: readonly Effect[]; readonly ledger: Ledger} => {
      const [event] = toHistory([draft], drafts.length + 1)
      if (!event) throw new Error('no event')
      const next = applyEvent(ledger, event)
      return {...next, state: toTopLevelState(next.ledger)}
    },
  }
}

export {emptyLedger}

const request = {
  id: 'web',
  namespace: 'default',
  autoRemove: false,
  rootfs: '/srv/rootfs',
  args: ['sh'],
  env: [],
  cwd: '/',
  user: '0',
  network: 'none',
} as const

/** Drafts of a usual life, to be put together. */
export const happen = {
  createRequested: {type: 'container.create-requested', data: {request: {...request, args: ['sh'], env: []}}},
  autoRemoveRequested: {type: 'container.create-requested', data: {request: {...request, args: ['sh'], env: [], autoRemove: true}}},
  restartingRequested: {
    type: 'container.create-requested',
    data: {request: {...request, args: ['sh'], env: [], restart: {policy: 'always', delayMs: 100, maxDelayMs: 60_000, windowMs: 10_000}}},
  },
  restartScheduled: {type: 'container.restart-scheduled', data: {attempt: 1, dueAt: new Date(epoch + 10_000).toISOString()}},
  restartDue: {type: 'container.restart-due', data: {}},
  restartCancelled: {type: 'container.restart-cancelled', data: {}},
  restartGaveUp: {type: 'container.restart-gave-up', data: {attempts: 3}},
  checkpointedRequested: {
    type: 'container.create-requested',
    data: {request: {...request, args: ['sh'], env: [], checkpoint: {image: '/checkpoint'}}},
  },
  prepared: {type: 'container.created', data: {bundle: '/b', args: ['sh'], cgroups: []}},
  restored: {type: 'container.started', data: {init: {pid: 43, startTimeTicks: 2, bootId: 'b'}, cgroups: ['/sys/fs/cgroup/pids/y']}},
  checkpointRequested: {type: 'container.checkpoint-requested', data: {checkpoint: {image: '/checkpoint', leaveRunning: false}}},
  checkpointed: {type: 'container.checkpointed', data: {image: '/checkpoint', leaveRunning: false}},
  checkpointFailed: {
    type: 'container.checkpoint-failed',
    data: {error: {code: 'CHECKPOINT_FAILED', kind: 'precondition', message: 'no', details: {}}},
  },
  created: {
    type: 'container.created',
    data: {init: {pid: 42, startTimeTicks: 1, bootId: 'b'}, bundle: '/b', args: ['sh'], cgroups: ['/sys/fs/cgroup/pids/x']},
  },
  createFailed: {
    type: 'container.create-failed',
    data: {error: {code: 'RUNC_CREATE_FAILED', kind: 'precondition', message: 'no', details: {}}},
  },
  startRequested: {type: 'container.start-requested', data: {}},
  started: {type: 'container.started', data: {}},
  startFailed: {
    type: 'container.start-failed',
    data: {error: {code: 'RUNC_START_FAILED', kind: 'precondition', message: 'no', details: {}}},
  },
  stopRequested: {type: 'container.stop-requested', data: {signal: 'SIGTERM', dueAt: new Date(epoch + 10_000).toISOString()}},
  stopTimedOut: {type: 'container.stop-timed-out', data: {}},
  killRequested: {type: 'container.kill-requested', data: {signal: 'SIGHUP'}},
  signalled: {type: 'container.signalled', data: {signal: 'SIGHUP'}},
  pauseRequested: {type: 'container.pause-requested', data: {}},
  paused: {type: 'container.paused', data: {}},
  pauseFailed: {
    type: 'container.pause-failed',
    data: {error: {code: 'RUNC_PAUSE_FAILED', kind: 'precondition', message: 'no', details: {}}},
  },
  resumeRequested: {type: 'container.resume-requested', data: {}},
  resumed: {type: 'container.resumed', data: {}},
  resumeFailed: {
    type: 'container.resume-failed',
    data: {error: {code: 'RUNC_RESUME_FAILED', kind: 'precondition', message: 'no', details: {}}},
  },
  updateRequested: {type: 'container.update-requested', data: {limits: {memoryBytes: 1024, pidsLimit: null}}},
  updated: {type: 'container.updated', data: {limits: {memoryBytes: 1024, pidsLimit: null}}},
  updateFailed: {
    type: 'container.update-failed',
    data: {error: {code: 'RUNC_UPDATE_FAILED', kind: 'precondition', message: 'no', details: {}}},
  },
  oom: {type: 'container.oom', data: {cgroup: '/sys/fs/cgroup/memory/x', killed: 1}},
  fatalKillRequested: {type: 'container.kill-requested', data: {signal: 'SIGKILL'}},
  exited: {type: 'container.exited', data: {exit: {type: 'code', code: 7}, exitedAt: new Date(epoch).toISOString(), source: 'waitid'}},
  deleteRequested: {type: 'container.delete-requested', data: {force: false}},
  forcedDelete: {type: 'container.delete-requested', data: {force: true}},
  deleteFailed: {
    type: 'container.delete-failed',
    data: {error: {code: 'RUNC_DELETE_FAILED', kind: 'precondition', message: 'no', details: {}}},
  },
  deleted: {type: 'container.deleted', data: {}},
} as const satisfies Record<string, Draft>
