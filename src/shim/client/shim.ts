/**
 * The supervisor's end of the socket to its shim, descriptor 3: what the shim holds, what it tells, and what it is asked to do. What a
 * former supervisor has left undone is in `held`; exits that nobody has acknowledged are told again.
 */
import {Socket} from 'node:net'
import {createCalls} from './calls.ts'
import {decodeFields, type Frame} from './codec.ts'
import {type ExitRecord, toExitRecord} from './exit-record.ts'
import {type MessageFields, messages, type Reply, type RequestFields, type RequestName, startReasons} from './frames.ts'

export type Held = MessageFields<'hello'> & {
  readonly children: readonly MessageFields<'child'>[]
  readonly stdios: readonly MessageFields<'stdio'>[]
}

export interface ShimEvents {
  /** A watched process has ended. It stays a zombie until `reap`. */
  readonly onExit: (exit: ExitRecord) => void
  /** A log has grown beyond the position that was followed; once for each `follow`. */
  readonly onGrew: (growth: MessageFields<'grew'>) => void
  /** Somebody is about to send something: do not sleep. */
  readonly onWoken: () => void
  /** The deadline has passed. */
  readonly onDue: () => void
  /** The shim is gone, or this supervisor is not understood: nothing can be done any more. */
  readonly onLost: (why: Error) => void
}

export interface Shim extends Disposable {
  readonly held: Held
  /** @throws ShimError */
  call<N extends Exclude<RequestName, 'sleep' | 'end'>>(name: N, fields: RequestFields<N>): Promise<Reply<N>>
  /**
   * Leaves, to sleep or for good. When it resolves, this process MUST end, soon: what comes from now on starts another.
   * @throws ShimError EAGAIN when something came that has not been seen, EBUSY when there is something to be held
   */
  leave(how: 'sleep' | 'end'): Promise<void>
}

export const shimDescriptor = 3

/** Resolves when the shim has said what it holds. */
export async function openShim(events: ShimEvents, socket = new Socket({fd: shimDescriptor})): Promise<Shim> {
  const {promise: ready, resolve, reject} = Promise.withResolvers<Held>()
  const children: MessageFields<'child'>[] = []
  const stdios: MessageFields<'stdio'>[] = []
  let hello: MessageFields<'hello'> | undefined
  let wakes = 0

  const calls = createCalls(socket, {
    onFrame: receive,
    onEnd: (why) => {
      reject(why)
      events.onLost(why)
    },
  })
  const held = await ready

  return {
    held,
    call: (name, fields) => calls.call(name, fields),
    leave: async (how) => void (await calls.call(how, {wakes})),
    [Symbol.dispose]: () => void socket.destroy(),
  }

  /** Types that a newer shim may send, and that nobody here has asked for, are passed over. */
  function receive({type, payload}: Frame): void {
    switch (type) {
      case messages.hello.type:
        hello = decodeFields(messages.hello.fields, payload)
        wakes = hello.wakes
        break
      case messages.child.type:
        children.push(decodeFields(messages.child.fields, payload))
        break
      case messages.stdio.type:
        stdios.push(decodeFields(messages.stdio.fields, payload))
        break
      case messages.ready.type:
        if (hello) resolve({...hello, children, stdios})
        break
      case messages.exit.type:
        events.onExit(toExitRecord(decodeFields(messages.exit.fields, payload)))
        break
      case messages.woken.type:
        wakes = decodeFields(messages.woken.fields, payload).wakes
        events.onWoken()
        break
      case messages.due.type:
        events.onDue()
        break
      case messages.grew.type:
        events.onGrew(decodeFields(messages.grew.fields, payload))
        break
    }
  }
}

export type StartReason = keyof typeof startReasons

/** Why this supervisor was started. */
export function toStartReasons({reasons}: Pick<Held, 'reasons'>): readonly StartReason[] {
  return startReasonNames.filter((name) => (reasons & startReasons[name]) !== 0)
}

const startReasonNames = ['first', 'died', 'exit', 'woken', 'due'] as const satisfies readonly StartReason[]
