/**
 * Runs the supervision chart of every container that has lost its shim, or whose shim has given up: sends it what is observed, carries out
 * what it returns. A container of which nothing was observed is supervised, and has no snapshot here.
 */
import {initialTransition, type SnapshotFrom, transition} from 'xstate'
import {type SupervisionEffect, type SupervisionEvent, supervisionMachine} from '../../../machines/charts/supervision.machine.ts'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import type {Phase} from '../../shim/client/frames.ts'
import type {ContainerIdentity} from '../directories/containers.ts'

/** Does nothing any more once the node's coordinator is ending. */
export interface Supervision {
  /** Looks at every container of the node. */
  look(): void
  lookAt(name: ContainerName): void
  /** The shim that had the container has ended. */
  observeEnd(container: ContainerIdentity): void
  /** Its shim does, or does not, start supervisors. @param former undefined of the first that this coordinator is told of it */
  observePhase(name: ContainerName, phase: Phase, former: Phase | undefined): void
  /** Gives the container a supervisor if it has none, also after it was given up. */
  request(name: ContainerName): void
}

export interface SupervisionPorts {
  readonly listContainers: () => readonly ContainerName[]
  /** The container, if it has no shim, none that was started for it and is still to take it over, and no supervisor. */
  readonly findVacant: (name: ContainerName) => ContainerIdentity | undefined
  /** Whether one that is vacant needs no supervisor before a command comes: it has no process, and its supervisor has left nothing undone. */
  readonly isAtRest: (name: ContainerName) => boolean
  /** Undefined when there is no such container. */
  readonly identify: (name: ContainerName) => ContainerIdentity | undefined
  /** Starts a shim with a supervisor, and hands it the container. Resolves when it has taken over. */
  readonly assign: (container: ContainerIdentity) => Promise<unknown>
  /** Has the shim of the container start a supervisor, also after it has given up. Does nothing when there is no shim. */
  readonly wake: (name: ContainerName) => Promise<unknown>
  /** Writes into the container's ledger that nobody supervises it. */
  readonly giveUp: (container: ContainerIdentity, data: {readonly deaths: number; readonly periodMs: number}) => Promise<void>
  readonly clock: Pick<Clock, 'elapsed' | 'at'>
  readonly logger: Logger
  /** Aborted when the coordinator ends. */
  readonly signal: AbortSignal
}

type Snapshot = SnapshotFrom<typeof supervisionMachine>

interface Supervised {
  readonly container: ContainerIdentity
  readonly snapshot: Snapshot
  /** Armed while the container is vacant and has just had a supervisor. */
  readonly look: Disposable | undefined
}

const [supervised] = initialTransition(supervisionMachine)

export function createSupervision(ports: SupervisionPorts): Supervision {
  const {listContainers, findVacant, isAtRest, identify, assign, wake, giveUp, clock, logger, signal} = ports
  const known = new Map<string, Supervised>()

  signal.addEventListener('abort', () => {
    for (const {look} of known.values()) look?.[Symbol.dispose]()
    known.clear()
  })

  return {
    look: () => {
      if (signal.aborted) return
      const names = listContainers()
      const present = new Set(names.map(toKey))
      for (const [key, {look}] of [...known]) {
        if (present.has(key)) continue
        look?.[Symbol.dispose]()
        known.delete(key)
      }
      for (const name of names) lookAt(name)
    },
    lookAt,
    observeEnd: (container) => {
      send(container, {type: 'shim.ended'})
      lookAt(container)
    },
    observePhase: (name, phase, former) => {
      const event = toPhaseEvent(phase, former)
      const container = event && identify(name)
      if (container) send(container, event)
    },
    request: (name) => {
      const container = findVacant(name)
      if (container) send(container, {type: 'supervisor.requested', atMs: clock.elapsed()})
      else wakeShim(name)
    },
  }

  function lookAt(name: ContainerName): void {
    if (signal.aborted) return
    const container = findVacant(name)
    if (container && !isAtRest(name)) send(container, {type: 'vacancy.observed', atMs: clock.elapsed()})
  }

  function wakeShim(name: ContainerName): void {
    wake(name).catch((error: unknown) => logger.debug({err: error, ...toName(name)}, 'its shim ended while it was woken'))
  }

  function send(container: ContainerIdentity, event: SupervisionEvent): void {
    if (signal.aborted) return
    const former = known.get(toKey(container))
    former?.look?.[Symbol.dispose]()
    // The same name, and another container: its supervisors have not died yet.
    const from = former?.container.uid === container.uid ? former.snapshot : supervised
    const [snapshot, actions] = transition(supervisionMachine, from, event)
    // Before any effect, which may send the next event.
    known.set(toKey(container), {container, snapshot, look: undefined})
    for (const effect of actions.filter(isEffect).map(toEffect)) {
      const look = run(effect, container)
      if (look) known.set(toKey(container), {container, snapshot, look})
    }
  }

  /** @returns the timer that it has armed */
  function run(effect: SupervisionEffect, container: ContainerIdentity): Disposable | undefined {
    const name = toName(container)
    switch (effect.type) {
      case 'supervisor.assign':
        logger.warn(name, 'starting a shim for a container that has none')
        assign(container).then(
          () => send(container, {type: 'supervisor.ready'}),
          (error: unknown) => {
            logger.error({err: error, ...name}, 'cannot supervise this container')
            send(container, {type: 'assignment.failed'})
          },
        )
        return undefined
      case 'shim.wake':
        wakeShim(name)
        return undefined
      case 'vacancy.look':
        return clock.at(effect.atMs, () => lookAt(name))
      case 'supervisor.give-up': {
        const {deaths, periodMs} = effect
        logger.error({...name, deaths, periodMs}, 'its supervisors died too often: it gets no other before this node is started again')
        giveUp(container, {deaths, periodMs}).catch((error: unknown) => {
          logger.error({err: error, ...name}, 'cannot write into its ledger that it is unsupervised')
        })
        return undefined
      }
    }
  }
}

function toPhaseEvent(phase: Phase, former: Phase | undefined): SupervisionEvent | undefined {
  if (phase !== 'gave-up') return former === 'gave-up' ? {type: 'shim.resumed'} : undefined
  return {type: former === undefined ? 'shim.found-given-up' : 'shim.gave-up'}
}

interface Action {
  readonly type: string
  readonly params?: unknown
}

/** The chart's own actions are effects; those of xstate begin with `xstate.`. */
function isEffect({type}: Action): boolean {
  return !type.startsWith('xstate.')
}

/** Typed by the chart's setup, which admits no action but an effect with its parameters. */
function toEffect({type, params}: Action): SupervisionEffect {
  return {type, ...(params as object)} as SupervisionEffect
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}

function toName({namespace, id}: ContainerName): ContainerName {
  return {namespace, id}
}
