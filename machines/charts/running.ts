/** The states of a container whose program runs, region by region. */
import {stateIn} from 'xstate'
import {
  beginCheckpoint,
  beginUpdate,
  endUpdate,
  recordCheckpoint,
  recordPaused,
  recordResumed,
  recordUnchanged,
  thaw,
} from './container-actions/changes.ts'
import {recordFailure} from './container-actions/creation.ts'
import {beginStop, cancelStop, onExited, recordForce, sendRequestedSignal, sendSigkill} from './container-actions/ending.ts'
import {onExec, onInput} from './container-actions/processes.ts'
import {recordHealth, recordOom} from './container-actions/watches.ts'
import {chart} from './container-setup.ts'

export const running = chart.createStateConfig({
  description: 'The program runs.',
  type: 'parallel',
  on: {
    ...onInput,
    'container.kill-requested': {actions: sendRequestedSignal},
    'container.oom': {actions: recordOom},
    'container.exited': onExited,
    'container.delete-requested': {
      guard: 'isForced',
      target: 'deleting',
      actions: [recordForce, cancelStop, {type: 'runtime.delete', params: {}}],
    },
  },
  states: {
    execution: {
      initial: 'active',
      states: {
        active: {
          description: 'The processes are scheduled.',
          on: {
            ...onExec,
            'container.pause-requested': {target: 'pausing', actions: {type: 'runtime.pause', params: {}}},
          },
        },
        pausing: {
          description: 'The runtime freezes the processes.',
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
          description: 'The processes are frozen. A stop or SIGKILL thaws them, since they could not end otherwise.',
          on: {
            'container.resume-requested': thaw,
            'container.stop-requested': thaw,
            'container.stop-timed-out': thaw,
            'container.kill-requested': {
              guard: 'isFatal',
              target: 'resuming',
              actions: [...sendRequestedSignal, {type: 'runtime.resume', params: {}}],
            },
          },
        },
        resuming: {
          description: 'The runtime thaws the processes.',
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
          description: 'The stop signal was sent; the program has until the deadline to end. Another stop sets a new deadline.',
          on: {
            'container.stop-requested': {target: 'grace', actions: beginStop},
            'container.stop-timed-out': 'killing',
          },
        },
        killing: {
          description: 'The deadline passed; SIGKILL is sent.',
          entry: sendSigkill,
        },
      },
    },
    checkpoint: {
      initial: 'none',
      states: {
        none: {
          description: 'No checkpoint is being taken.',
          on: {'container.checkpoint-requested': {target: 'checkpointing', actions: beginCheckpoint}},
        },
        checkpointing: {
          description:
            'The runtime writes the processes to disk, paused or not. An exit that is observed meanwhile is recorded after the outcome.',
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
        unchecked: {description: 'The container has no health check.'},
        checking: {
          description: 'No check has succeeded yet, and fewer than `retries` have failed.',
          on: {
            'container.health-changed': [
              {guard: 'isHealthy', target: 'healthy', actions: recordHealth},
              {guard: 'isUnhealthy', target: 'unhealthy', actions: recordHealth},
            ],
          },
        },
        healthy: {
          description: 'The last check succeeded, or fewer than `retries` have failed since.',
          on: {'container.health-changed': {guard: 'isUnhealthy', target: 'unhealthy', actions: recordHealth}},
        },
        unhealthy: {
          description: 'At least `retries` checks in a row have failed.',
          on: {'container.health-changed': {guard: 'isHealthy', target: 'healthy', actions: recordHealth}},
        },
      },
    },
    limits: {
      initial: 'kept',
      states: {
        kept: {
          description: 'No limit is being changed.',
          on: {'container.update-requested': {target: 'changing', actions: beginUpdate}},
        },
        changing: {
          description: 'The runtime changes the limits, paused or not. An exit that is observed meanwhile is recorded after the outcome.',
          tags: 'in-flight',
          on: {
            'container.updated': {target: 'kept', actions: endUpdate},
            'container.update-failed': {target: 'kept', actions: [recordFailure, recordUnchanged]},
          },
        },
      },
    },
  },
})
