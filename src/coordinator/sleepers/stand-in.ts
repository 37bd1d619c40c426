/**
 * The coordinator in the place of supervisors that sleep: it receives the requests to their containers, wakes them, and sends on what it
 * has. While a supervisor is awake nothing passes here: docs/adr/0027.
 *
 * MUST hold: no request is lost or carried out twice while a supervisor falls asleep or wakes; achieved by both being in one queue group, of
 * which the server gives a request to one, by leaving it only when the other is certain to be in it, and by the supervisor's own subject,
 * where it alone receives what came here.
 */
import type {Msg, NatsConnection} from 'nats'
import type {Clock} from '../../kernel/clock.ts'
import type {Logger} from '../../kernel/log.ts'
import type {ContainerName} from '../../layout/container-name.ts'
import {type KeptRequest, keepRequest, sendOn} from '../../messaging/kept-request.ts'
import type {NatsLink} from '../../messaging/link.ts'
import {answerMessage, type Handle, passedOn, toIncoming} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {assertRoom, type HoldLimits, sizeOfAll, usualHoldLimits} from './hold.ts'
import {notFound, notWoken, refuse, toWakeError} from './refusals.ts'
import {type Interest, subscribeFor} from './interest.ts'
import {createRollCall, type RollCall} from './roll-call.ts'
import {type Effect, isListenedFor, type Observation, observe, released, type Standing, toHeld} from './standing.ts'

export interface StandIn {
  /** Receives the requests of a container whose supervisor is not there. Idempotent; also without a connection to NATS, for when there is one. */
  take(name: ContainerName): Promise<void>
  /** The supervisor is about to end. @returns whether requests arrive here from now on; if not, it has to stay */
  takeOver(name: ContainerName): Promise<boolean>
  /** The supervisor listens: it gets what is held, and the subscriptions end. */
  release(name: ContainerName): void
  /** Whether a request to the container would come here. */
  isSleeping(name: ContainerName): boolean
  figures(): StandInFigures
}

export interface StandInFigures {
  readonly sleeping: number
  readonly waking: number
  readonly heldRequests: number
  readonly heldBytes: number
  /** How often a request has woken a supervisor. */
  readonly woken: number
}

/** What a read is answered with when only the supervisor can: then it is woken. */
export const needsSupervisor: unique symbol = Symbol('needs the supervisor')

export interface StandInDependencies {
  readonly node: string
  readonly subjects: Subjects
  readonly link: Pick<NatsLink, 'session' | 'onSession'>
  /** Sees to it that the container has a supervisor, by starting whatever is missing. Idempotent. @throws when that cannot be */
  readonly wake: (name: ContainerName) => Promise<void>
  readonly exists: (name: ContainerName) => boolean
  /** How a verb is answered without waking anybody; undefined for one that cannot. It may resolve to `needsSupervisor`. */
  readonly toRead: (name: ContainerName, verb: string) => Handle | undefined
  /** Called when its supervisor is awake, and has got what was held. */
  readonly onAwake: (name: ContainerName) => void
  readonly clock: Pick<Clock, 'elapsed' | 'at' | 'sleep'>
  readonly logger: Logger
}

interface Stand {
  readonly name: ContainerName
  standing: Standing
  /** Of the present session. */
  interest: Interest | undefined
  /** Armed while something is held. */
  deadline: Disposable | undefined
}

const firstPauseMs = 100
const longestPauseMs = 2_000

export function createStandIn(
  {node, subjects, link, wake, exists, toRead, onAwake, clock, logger}: StandInDependencies,
  limits: HoldLimits = usualHoldLimits,
): StandIn {
  const stands = new Map<string, Stand>()
  /** Of the present session. */
  let rollCall: RollCall | undefined
  let woken = 0

  link.onSession(async (connection) => {
    for (const [key, stand] of [...stands]) {
      if (isListenedFor(stand.standing)) stand.interest = listen(connection, stand.name)
      else stands.delete(key)
    }
    // What they have said while nobody listened here is lost.
    rollCall = createRollCall(connection, {node, subjects, onAwake: (name) => isSleeping(name) && send(name, {type: 'awake'})})
    for (const {name} of stands.values()) rollCall.ask(name)
  })

  return {
    take: async (name) => {
      if (isListenedFor(toStand(name).standing)) return
      send(name, {type: 'take'})
      send(name, {type: 'confirmed'})
      const connection = link.session()
      if (!connection) return
      toStand(name).interest = listen(connection, name)
      rollCall?.ask(name)
      // Of a connection that ends now: the next session subscribes again.
      await connection.flush().catch(() => {})
    },
    takeOver: async (name) => {
      const connection = link.session()
      if (!connection) return false
      // If it has come back without a word here, it gets what is held before it is told to end.
      send(name, {type: 'awake'})
      send(name, {type: 'take'})
      const stand = toStand(name)
      stand.interest = listen(connection, name)
      await stand.interest.settled(clock)
      if (stands.get(toKey(name)) !== stand || stand.standing.type !== 'taking over' || connection.isClosed()) return false
      send(name, {type: 'confirmed'})
      return true
    },
    release: (name) => send(name, {type: 'awake'}),
    isSleeping,
    figures: () => {
      const all = [...stands.values()]
      const held = all.flatMap(({standing}) => toHeld(standing))
      const count = (type: Standing['type']) => all.filter(({standing}) => standing.type === type).length
      const waking = count('waking')
      return {sleeping: count('standing in') + waking, waking, heldRequests: held.length, heldBytes: sizeOfAll(held), woken}
    },
  }

  function isSleeping(name: ContainerName): boolean {
    return isListenedFor(toStanding(name))
  }

  function toStanding(name: ContainerName): Standing {
    return stands.get(toKey(name))?.standing ?? released
  }

  function toStand(name: ContainerName): Stand {
    const stand = stands.get(toKey(name)) ?? {name, standing: released, interest: undefined, deadline: undefined}
    stands.set(toKey(name), stand)
    return stand
  }

  function listen(connection: NatsConnection, name: ContainerName): Interest {
    return subscribeFor(connection, {subjects, address: {node, ...name}, onMessage: (message) => receive(connection, name, message)})
  }

  function receive(connection: NatsConnection, name: ContainerName, message: Msg): void {
    // Also while the last requests arrive here: nobody else would answer them.
    if (!exists(name)) {
      refuse(link.session(), [keepRequest(message)], notFound({node, ...name}))
      send(name, {type: 'awake'})
    } else {
      const handle = isSleeping(name) ? toRead(name, subjects.parseVerb(message.subject) ?? '') : undefined
      if (handle) read(connection, {name, message, handle})
      else hold(name, keepRequest(message))
    }
  }

  function read(
    connection: NatsConnection,
    {name, message, handle}: {readonly name: ContainerName; readonly message: Msg; readonly handle: Handle},
  ): void {
    const kept = keepRequest(message)
    const answer: Handle = async (...request) => {
      const reply = await handle(...request)
      if (reply !== needsSupervisor) return reply
      hold(name, kept)
      return passedOn
    }
    const incoming = toIncoming(message, {connection, subject: kept.subject, isHandedOn: false})
    void answerMessage(message, answer, {connection, logger, incoming})
  }

  /** Until the supervisor is awake; one that is awake gets it at once. */
  function hold(name: ContainerName, request: KeptRequest): void {
    try {
      const bytesInAll = sizeOfAll([...stands.values()].flatMap(({standing}) => toHeld(standing)))
      assertRoom(request, {held: toHeld(toStanding(name)), bytesInAll}, limits)
      send(name, {type: 'request', held: {request, untilMs: clock.elapsed() + limits.longestMs}})
    } catch (error) {
      refuse(link.session(), [request], error)
    }
  }

  function send(name: ContainerName, observation: Observation, why?: unknown): void {
    const stand = toStand(name)
    const {standing, effects} = observe(stand.standing, observation)
    stand.standing = standing
    for (const effect of effects) run(stand, effect, why)
    arm(stand)
    if (stand.standing.type === 'released' && stands.get(toKey(name)) === stand) stands.delete(toKey(name))
  }

  function run(stand: Stand, effect: Effect, why: unknown): void {
    switch (effect.type) {
      case 'wake':
        woken += 1
        void rouse(stand)
        return
      case 'send on':
        for (const request of effect.requests) sendOnTo(request)
        return
      case 'refuse':
        refuse(link.session(), effect.requests, why)
        return
      case 'unsubscribe':
        onAwake(stand.name)
        void withdraw(stand)
        return
    }
  }

  function sendOnTo(request: KeptRequest): void {
    const own = subjects.toOwn(request.subject)
    const connection = link.session()
    // The connection has just been lost, and with it the request, as one on its way to a supervisor would be.
    if (own !== undefined && connection) sendOn(connection, own, request)
  }

  /** Again and again until it says that it is awake, or answers: a supervisor may die while it wakes, and what it says may be lost. */
  async function rouse(stand: Stand): Promise<void> {
    const {name} = stand
    for (let pauseMs = firstPauseMs; stand.standing.type === 'waking'; pauseMs = Math.min(longestPauseMs, 2 * pauseMs)) {
      try {
        await wake(name)
      } catch (error) {
        logger.error({err: error, ...name}, 'cannot wake a supervisor')
        return send(name, {type: 'failed'}, toWakeError(name, error))
      }
      await clock.sleep(pauseMs)
      if (stand.standing.type === 'waking' && link.session()) rollCall?.ask(name)
    }
  }

  async function withdraw(stand: Stand): Promise<void> {
    const {interest} = stand
    stand.interest = undefined
    await interest?.end(clock)
    if (stands.get(toKey(stand.name)) === stand) send(stand.name, {type: 'drained'})
  }

  function arm(stand: Stand): void {
    stand.deadline?.[Symbol.dispose]()
    const first = stand.standing.type === 'waking' ? stand.standing.held[0] : undefined
    stand.deadline =
      first &&
      clock.at(first.untilMs, () => send(stand.name, {type: 'time', nowMs: clock.elapsed()}, notWoken(stand.name, limits.longestMs)))
  }
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}
