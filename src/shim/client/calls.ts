/** Requests over one socket, each with its reply. Whatever else comes is given to the caller. */
import type {Socket} from 'node:net'
import {constants} from 'node:os'
import {createFrameSplitter, decodeFields, encodeFrame, type Fields, type Frame, type Shape} from './codec.ts'
import {messages, type Reply, type RequestFields, type RequestName, requests} from './frames.ts'

/** The shim would not do it, as errno says: `EPIPE`, `EBUSY`, `ENOSPC`… or the connection is lost: `ECONNRESET`. */
export class ShimError extends Error {
  override readonly name = 'ShimError'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

export interface Calls {
  /** Replies come in the order of the requests, but for those that wait for something (input, drain, upgrade). @throws ShimError */
  call<N extends RequestName>(name: N, fields: RequestFields<N>): Promise<Reply<N>>
  /** A request that is answered again and again, from the first on. @throws ShimError of the first */
  subscribe<N extends RequestName>(name: N, fields: RequestFields<N>, onReply: (reply: Reply<N>) => void): Promise<void>
}

export interface CallsOptions {
  readonly onFrame: (frame: Frame) => void
  /** Once: the socket has ended, or sent what can be no frame. */
  readonly onEnd: (why: Error) => void
}

interface Waiting {
  readonly onOk: (payload: Buffer) => void
  readonly onError: (error: Error) => void
  readonly isStream: boolean
}

const errnoNames = new Map(
  Object.entries(constants.errno)
    .map(([name, number]) => [number, name] as const)
    .toReversed(),
)

export function createCalls(socket: Socket, {onFrame, onEnd}: CallsOptions): Calls {
  const split = createFrameSplitter()
  const waiting = new Map<number, Waiting>()
  let latest = 0
  let ended: Error | undefined

  socket.on('data', (chunk: Buffer) => {
    try {
      for (const frame of split(chunk)) receive(frame)
    } catch (error) {
      end(error instanceof Error ? error : new Error(String(error)))
    }
  })
  socket.on('error', end)
  socket.on('close', () => end(new ShimError('ECONNRESET', 'the shim has closed the connection')))

  return {
    call: (name, fields) => {
      const {promise, resolve, reject} = Promise.withResolvers<Reply<typeof name>>()
      send(name, fields, {onOk: (payload) => resolve(decodeReply(name, payload)), onError: reject, isStream: false})
      return promise
    },
    subscribe: (name, fields, onReply) => {
      const {promise, resolve, reject} = Promise.withResolvers<void>()
      const onOk = (payload: Buffer) => {
        onReply(decodeReply(name, payload))
        resolve()
      }
      send(name, fields, {onOk, onError: reject, isStream: true})
      return promise
    },
  }

  function send<N extends RequestName>(name: N, fields: RequestFields<N>, answer: Waiting): void {
    if (ended) {
      answer.onError(ended)
      return
    }
    latest = latest === 0xffff_ffff ? 1 : latest + 1
    waiting.set(latest, answer)
    socket.write(encode(requests[name], latest, fields))
  }

  function receive(frame: Frame): void {
    const answer = waiting.get(frame.request)
    if (frame.request === 0 || !answer) {
      onFrame(frame)
      return
    }
    const isOk = frame.type === messages.ok.type
    if (!isOk || !answer.isStream) waiting.delete(frame.request)
    if (isOk) answer.onOk(frame.payload)
    else answer.onError(toError(frame))
  }

  function end(why: Error): void {
    if (ended) return
    ended = why
    socket.destroy()
    for (const {onError} of waiting.values()) onError(why)
    waiting.clear()
    onEnd(why)
  }
}

function toError({payload}: Frame): ShimError {
  const {errno, message} = decodeFields(messages.error.fields, payload)
  return new ShimError(errnoNames.get(errno) ?? `errno ${errno}`, message)
}

function encode<S extends Shape>(
  {type, fields: shape}: {readonly type: number; readonly fields: S},
  request: number,
  fields: Fields<S>,
): Buffer {
  return encodeFrame(type, request, shape, fields)
}

function decodeReply<N extends RequestName>(name: N, payload: Buffer): Reply<N> {
  const shape: (typeof requests)[N]['reply'] = requests[name].reply
  return decodeFields(shape, payload)
}
