/**
 * The life of one container, as a chart over the events of its ledger. Effects are returned as data, never run here.
 *
 * created → running → stopped → deleted are the states that everyone knows. Those tagged `in-flight` stand between them,
 * while an effect is under way: commands wait until it has an outcome.
 */
import {and, assign, not, stateIn} from 'xstate'
import {emptyContext} from './container-context.ts'
import {
  armRestart,
  beginCheckpoint,
  beginRestart,
  beginStop,
  beginUpdate,
  cancelRestart,
  chart,
  copyState,
  endWatches,
  forgetExec,
  forgetHealth,
  forgetPause,
  forgetStop,
  giveRestartsUp,
  onExec,
  onExited,
  onInput,
  recordCheckpoint,
  recordCreated,
  recordExit,
  recordFailure,
  recordForce,
  recordHealth,
  recordKill,
  recordOom,
  recordPaused,
  recordRequest,
  recordRestart,
  recordResumed,
  recordSent,
  recordStarted,
  recordUnchanged,
  recordUpdated,
  restore,
  scheduleRestart,
  sendRequestedSignal,
  thaw,
  watchHealth,
  watchOom,
} from './container-setup.ts'

export const containerMachine = chart.createMachine({
  id: 'container',
  description: 'The life of one container, as a chart over the events of its ledger.',
  context: emptyContext,
  initial: 'absent',
  on: {
    'container.signalled': {description: 'A signal asked for earlier was sent; init may have ended meanwhile.', actions: recordSent},
    'container.kill-failed': {actions: [recordFailure, recordSent]},
    'exec.started': {description: 'Told by the chart of the process, as all that follows.', actions: assign({})},
    'exec.start-failed': {actions: forgetExec},
    'exec.kill-requested': {actions: assign({})},
    'exec.signalled': {actions: assign({})},
    'exec.kill-failed': {actions: assign({})},
    'exec.stdin-closed': {actions: assign({})},
    'exec.resized': {actions: assign({})},
    'exec.exited': {actions: forgetExec},
    'exec.delete-requested': {actions: assign({})},
    'exec.deleted': {actions: assign({})},
    'supervisor.adopted': {description: 'A new supervisor took over. Changes nothing by itself.', actions: assign({unsupervised: false})},
    'supervisor.gave-up': {description: 'It gets no other supervisor.', actions: assign({unsupervised: true})},
    'supervisor.republished': {description: 'The stream had lost events. Changes nothing.', actions: assign({})},
  },
  states: {
    absent: {
      description: 'Nothing has happened yet.',
      on: {
        'container.create-requested': {
          target: 'creating',
          actions: [
            recordRequest,
            {
              type: 'runtime.create',
              params: ({event}) => ({request: event.data.request}),
            },
          ],
        },
      },
    },
    creating: {
      description: 'The runtime makes the container.',
      tags: 'in-flight',
      on: {
        'container.created': [
          {guard: 'isPrepared', target: '#container.created.prepared', actions: [recordCreated, copyState]},
          {
            guard: 'isRestarting',
            target: 'created',
            actions: [recordCreated, copyState, watchOom, {type: 'request.start', params: {}}],
          },
          {target: 'created', actions: [recordCreated, copyState, watchOom]},
        ],
        'container.create-failed': [
          {guard: 'comesBack', target: '#container.stopped.rescheduling', actions: [recordFailure, scheduleRestart]},
          {guard: 'isGivenUp', target: '#container.stopped.rescheduling', actions: [recordFailure, giveRestartsUp]},
          {target: 'failed', actions: [recordFailure, {type: 'request.delete', params: {reason: 'create failed'}}]},
        ],
      },
    },
    created: {
      description: 'The container exists; its init waits to execute the program.',
      initial: 'ready',
      on: {
        ...onInput,
        ...onExec,
        'container.start-requested': {target: 'starting', actions: {type: 'runtime.start', params: {}}},
        'container.kill-requested': {actions: [recordKill, sendRequestedSignal]},
        'container.oom': {actions: recordOom},
        'container.exited': onExited,
        'container.delete-requested': {target: 'deleting', actions: [recordForce, {type: 'runtime.delete', params: {}}]},
      },
      states: {
        ready: {
          description: 'For the start.',
          on: {'container.update-requested': {target: 'updating', actions: beginUpdate}},
        },
        prepared: {
          description: 'For the start, with which its processes come back from a checkpoint. There is none before.',
          on: {
            'container.start-requested': {target: '#container.starting', actions: restore},
            'container.kill-requested': {},
            'container.stdin-closed': {},
            'container.resized': {},
            'exec.added': {},
            'exec.start-requested': {},
          },
        },
        updating: {
          description: 'The runtime changes its limits. An exit seen now waits.',
          tags: 'in-flight',
          on: {
            'container.updated': {target: 'ready', actions: [recordUpdated, copyState, watchOom]},
            'container.update-failed': {target: 'ready', actions: [recordFailure, recordUnchanged]},
          },
        },
      },
    },
    starting: {
      description: 'Init executes the program. An exit seen now waits, so that started comes first.',
      tags: 'in-flight',
      on: {
        'container.started': [
          {
            guard: and(['bringsInit', 'hasHealthCheck']),
            target: '#container.running.health.checking',
            actions: [recordStarted, watchOom, watchHealth],
          },
          {guard: 'bringsInit', target: 'running', actions: [recordStarted, watchOom]},
          {
            guard: and(['hasInit', 'hasHealthCheck']),
            target: '#container.running.health.checking',
            actions: [recordStarted, watchHealth],
          },
          {guard: 'hasInit', target: 'running', actions: recordStarted},
        ],
        'container.start-failed': [
          {guard: 'isPrepared', target: '#container.created.prepared', actions: recordFailure},
          {
            guard: 'isRestarting',
            target: 'created',
            actions: [recordFailure, {type: 'runtime.kill', params: {signal: 'SIGKILL'}}],
          },
          {target: 'created', actions: recordFailure},
        ],
      },
    },
    running: {
      description: 'The program runs.',
      type: 'parallel',
      on: {
        ...onInput,
        'container.kill-requested': {actions: [recordKill, sendRequestedSignal]},
        'container.oom': {actions: recordOom},
        'container.exited': onExited,
        'container.delete-requested': {
          guard: 'isForced',
          target: 'deleting',
          actions: [recordForce, {type: 'timer.cancel', params: {timer: 'stop'}}, {type: 'runtime.delete', params: {}}],
        },
      },
      states: {
        execution: {
          initial: 'active',
          states: {
            active: {
              description: 'Its processes are scheduled.',
              on: {
                ...onExec,
                'container.pause-requested': {target: 'pausing', actions: {type: 'runtime.pause', params: {}}},
              },
            },
            pausing: {
              description: 'The runtime freezes them.',
              tags: 'in-flight',
              on: {
                'container.paused': [
                  {
                    guard: stateIn({running: {stop: 'killing'}}),
                    target: 'resuming',
                    actions: [recordPaused, {type: 'runtime.resume', params: {}}],
                  },
                  {target: 'paused', actions: recordPaused},
                ],
                'container.pause-failed': {target: 'active', actions: recordFailure},
              },
            },
            paused: {
              description: 'None of its processes is scheduled. A stop or SIGKILL thaws them, since they could not end otherwise.',
              on: {
                'container.resume-requested': thaw,
                'container.stop-requested': thaw,
                'container.stop-timed-out': thaw,
                'container.kill-requested': {
                  guard: 'isFatal',
                  target: 'resuming',
                  actions: [recordKill, sendRequestedSignal, {type: 'runtime.resume', params: {}}],
                },
              },
            },
            resuming: {
              description: 'The runtime lets them run again.',
              tags: 'in-flight',
              on: {
                'container.resumed': {target: 'active', actions: recordResumed},
                'container.resume-failed': {target: 'paused', actions: recordFailure},
              },
            },
          },
        },
        stop: {
          initial: 'none',
          states: {
            none: {
              description: 'No stop is under way.',
              on: {'container.stop-requested': {target: 'grace', actions: beginStop}},
            },
            grace: {
              description: 'The program was asked to end and has until the deadline; another stop sets another.',
              on: {
                'container.stop-requested': {target: 'grace', actions: beginStop},
                'container.stop-timed-out': 'killing',
              },
            },
            killing: {
              description: 'The deadline passed; SIGKILL is sent.',
              entry: {type: 'runtime.kill', params: {signal: 'SIGKILL'}},
            },
          },
        },
        checkpoint: {
          initial: 'none',
          states: {
            none: {
              description: 'None is being taken.',
              on: {'container.checkpoint-requested': {target: 'checkpointing', actions: beginCheckpoint}},
            },
            checkpointing: {
              description: 'The runtime writes its processes to disk, whether or not it is paused. The exit that may follow waits.',
              tags: 'in-flight',
              on: {
                'container.checkpointed': {target: 'none', actions: recordCheckpoint},
                'container.checkpoint-failed': {target: 'none', actions: recordFailure},
              },
            },
          },
        },
        health: {
          initial: 'unchecked',
          states: {
            unchecked: {description: 'Nobody asks.'},
            checking: {
              description: 'No check has succeeded yet, nor have enough failed.',
              on: {
                'container.health-changed': [
                  {guard: 'isHealthy', target: 'healthy', actions: recordHealth},
                  {guard: 'isUnhealthy', target: 'unhealthy', actions: recordHealth},
                ],
              },
            },
            healthy: {
              description: 'The last check succeeded, or not enough have failed since.',
              on: {'container.health-changed': {guard: 'isUnhealthy', target: 'unhealthy', actions: recordHealth}},
            },
            unhealthy: {
              description: 'So many checks in a row have failed as were allowed.',
              on: {'container.health-changed': {guard: 'isHealthy', target: 'healthy', actions: recordHealth}},
            },
          },
        },
        limits: {
          initial: 'kept',
          states: {
            kept: {
              description: 'They are as the ledger has them.',
              on: {'container.update-requested': {target: 'changing', actions: beginUpdate}},
            },
            changing: {
              description: 'The runtime changes them, whether or not it is paused. An exit seen now waits.',
              tags: 'in-flight',
              on: {
                'container.updated': {target: 'kept', actions: [recordUpdated, copyState, watchOom]},
                'container.update-failed': {target: 'kept', actions: [recordFailure, recordUnchanged]},
              },
            },
          },
        },
      },
    },
    stopped: {
      description: 'Init has ended; its exit status is in the ledger.',
      initial: 'ended',
      states: {
        ended: {description: 'For good, unless the host is booted and it is always to run.'},
        rescheduling: {
          description: 'Its restart policy decides when it comes back, or that it does not.',
          tags: 'in-flight',
          on: {'container.restart-gave-up': {target: 'ended', actions: {type: 'runtime.sweep', params: {}}}},
        },
      },
      on: {
        'container.restart-scheduled': {guard: 'isKeptUp', target: 'waiting', actions: [recordRestart, armRestart]},
        'container.delete-requested': {target: 'deleting', actions: {type: 'runtime.delete', params: {}}},
      },
    },
    waiting: {
      description: 'It is to come back, with its root file system and its log, when the time has come.',
      on: {
        'container.restart-due': {target: 'creating', actions: beginRestart},
        'container.restart-cancelled': {target: 'stopped', actions: [...cancelRestart, {type: 'runtime.sweep', params: {}}]},
        'container.delete-requested': {target: 'deleting', actions: [...cancelRestart, {type: 'runtime.delete', params: {}}]},
      },
    },
    failed: {
      description: 'The container could not be made; nothing of it is left but this ledger.',
      on: {
        'container.delete-requested': {target: 'deleting', actions: {type: 'runtime.delete', params: {}}},
      },
    },
    deleting: {
      description: 'What was made for the container is removed; a forced delete kills what runs and waits for its exit.',
      tags: 'in-flight',
      on: {
        'container.oom': {guard: not('hasExited'), actions: recordOom},
        'container.exited': {guard: and([not('hasExited'), 'hasNoLiveExec']), actions: [recordExit, ...endWatches]},
        'container.deleted': 'deleted',
        'container.delete-failed': [
          {guard: 'hasExited', target: 'stopped', actions: recordFailure},
          {
            guard: and(['isFrozen', 'hasHealthCheck']),
            target: ['#container.running.execution.paused', '#container.running.health.checking'],
            actions: [recordFailure, forgetStop, forgetHealth],
          },
          {guard: 'isFrozen', target: '#container.running.execution.paused', actions: [recordFailure, forgetStop]},
          {
            guard: and(['hasStarted', 'hasHealthCheck']),
            target: '#container.running.health.checking',
            actions: [recordFailure, forgetStop, forgetHealth, forgetPause],
          },
          {guard: 'hasStarted', target: 'running', actions: [recordFailure, forgetStop, forgetPause]},
          {guard: 'hasInit', target: 'created', actions: recordFailure},
          {guard: 'isPrepared', target: '#container.created.prepared', actions: recordFailure},
          {target: 'failed', actions: recordFailure},
        ],
      },
    },
    deleted: {
      description: 'Gone. The stream remembers.',
      type: 'final',
      entry: {type: 'supervisor.end', params: {}},
    },
  },
})
