/**
 * The life of one container, as a chart over the events of its ledger. Effects are returned as data, never run here.
 *
 * created → running → stopped → deleted are the states that everyone knows. Those tagged `in-flight` stand between them,
 * while an effect is under way: commands wait until it has an outcome.
 */
import {and, assign, not} from 'xstate'
import {emptyContext} from './container-context.ts'
import {beginUpdate, endUpdate, forgetPause, recordUnchanged} from './container-actions/changes.ts'
import {copyState, create, recordCreated, recordFailure, recordRequest, recordStarted, restore} from './container-actions/creation.ts'
import {
  forgetStop,
  onExited,
  onExitedInDeletion,
  recordForce,
  recordSent,
  sendRequestedSignal,
  sendSigkill,
  sweep,
} from './container-actions/ending.ts'
import {forgetExec, onExec, onInput} from './container-actions/processes.ts'
import {awaitRestart, beginRestart, cancelRestart, giveRestartsUp, scheduleRestart} from './container-actions/restarts.ts'
import {forgetHealth, recordOom, watchHealth, watchOom} from './container-actions/watches.ts'
import {chart} from './container-setup.ts'
import {running} from './running.ts'

export const containerMachine = chart.createMachine({
  id: 'container',
  description: 'The life of one container, as a chart over the events of its ledger.',
  context: emptyContext,
  initial: 'absent',
  on: {
    'container.signalled': {description: 'A signal asked for earlier was sent; init may have ended meanwhile.', actions: recordSent},
    'container.kill-failed': {actions: [recordFailure, recordSent]},
    'exec.started': {description: 'Described by the chart of the process, like the exec events that follow.', actions: assign({})},
    'exec.start-failed': {actions: forgetExec},
    'exec.kill-requested': {actions: assign({})},
    'exec.signalled': {actions: assign({})},
    'exec.kill-failed': {actions: assign({})},
    'exec.stdin-closed': {actions: assign({})},
    'exec.resized': {actions: assign({})},
    'exec.exited': {actions: forgetExec},
    'exec.delete-requested': {actions: assign({})},
    'exec.deleted': {actions: assign({})},
    'supervisor.adopted': {
      description: 'A new supervisor took over. The state of the container stays.',
      actions: assign({unsupervised: false}),
    },
    'supervisor.gave-up': {description: 'The container gets no further supervisor.', actions: assign({unsupervised: true})},
    'supervisor.republished': {description: 'Events that the stream had lost were published again. The state stays.', actions: assign({})},
  },
  states: {
    absent: {
      description: 'Nothing has happened yet.',
      on: {
        'container.create-requested': {
          target: 'creating',
          actions: [recordRequest, create],
        },
      },
    },
    creating: {
      description: 'The runtime creates the container.',
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
        'container.kill-requested': {actions: sendRequestedSignal},
        'container.oom': {actions: recordOom},
        'container.exited': onExited,
        'container.delete-requested': {target: 'deleting', actions: [recordForce, {type: 'runtime.delete', params: {}}]},
      },
      states: {
        ready: {
          description: 'Init is ready to be started.',
          on: {'container.update-requested': {target: 'updating', actions: beginUpdate}},
        },
        prepared: {
          description: 'The checkpoint is ready to be restored by the start. No process exists before that.',
          on: {
            'container.start-requested': {guard: 'hasCheckpoint', target: '#container.starting', actions: restore},
            'container.kill-requested': {},
            'container.stdin-closed': {},
            'container.resized': {},
            'exec.added': {},
            'exec.start-requested': {},
          },
        },
        updating: {
          description: 'The runtime changes the limits. An exit that is observed meanwhile is recorded after the outcome.',
          tags: 'in-flight',
          on: {
            'container.updated': {target: 'ready', actions: endUpdate},
            'container.update-failed': {target: 'ready', actions: [recordFailure, recordUnchanged]},
          },
        },
      },
    },
    starting: {
      description: 'Init executes the program. An exit that is observed meanwhile is recorded after `container.started`.',
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
            actions: [recordFailure, sendSigkill],
          },
          {target: 'created', actions: recordFailure},
        ],
      },
    },
    running,
    stopped: {
      description: 'Init has ended; its exit status is in the ledger.',
      initial: 'ended',
      states: {
        ended: {description: 'The container stays stopped, unless its restart policy is `always` and the host is booted.'},
        rescheduling: {
          description: 'The restart policy decides when the container is restarted, or that it is not.',
          tags: 'in-flight',
          on: {'container.restart-gave-up': {target: 'ended', actions: sweep}},
        },
      },
      on: {
        'container.restart-scheduled': {guard: 'isKeptUp', target: 'waiting', actions: awaitRestart},
        'container.delete-requested': {target: 'deleting', actions: {type: 'runtime.delete', params: {}}},
      },
    },
    waiting: {
      description: 'The container waits for its restart. Its root file system and its log stay.',
      on: {
        'container.restart-due': {target: 'creating', actions: beginRestart},
        'container.restart-cancelled': {target: 'stopped', actions: [...cancelRestart, sweep]},
        'container.delete-requested': {target: 'deleting', actions: [...cancelRestart, {type: 'runtime.delete', params: {}}]},
      },
    },
    failed: {
      description: 'The container could not be created; only its ledger is left.',
      on: {
        'container.delete-requested': {target: 'deleting', actions: {type: 'runtime.delete', params: {}}},
      },
    },
    deleting: {
      description: 'The container is removed; a forced delete kills init and waits for its exit.',
      tags: 'in-flight',
      on: {
        'container.oom': {guard: not('hasExited'), actions: recordOom},
        'container.exited': onExitedInDeletion,
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
      description: 'The container is gone. Its events stay in the stream.',
      type: 'final',
      entry: {type: 'supervisor.end', params: {}},
    },
  },
})
