/**
 * Input for a process, piece by piece: the next is sent when the kernel has taken the one before, so that a process that reads
 * slowly slows the sender down, and nothing piles up on the way. A piece without an answer is sent again, under the same offset.
 */
import {randomUUID} from 'node:crypto'
import {headers} from 'nats'
import * as z from 'zod'
import {initId} from '../../machines/commands/commands.ts'
import {TallyError} from '../kernel/errors.ts'
import {toMessageRoom} from '../messaging/chunks.ts'
import {requestRaw} from '../messaging/codec.ts'
import {offsetHeader, sessionHeader} from '../messaging/headers.ts'
import type {ProcessClient, TallyClient} from './types.ts'

export interface InputSender {
  /**
   * Resolves when the process's pipe or terminal has taken all of it.
   * @throws TallyError STDIN_CLOSED, CONTAINER_NOT_FOUND, EXEC_NOT_FOUND, INPUT_UNCERTAIN; NATS_UNREACHABLE: write the same bytes again with
   * another client
   */
  write(bytes: Uint8Array): Promise<void>
}

export interface InputSenderOptions {
  /** A person sees the effect of what is typed: input that a killed supervisor may or may not have written counts as written. */
  readonly isTyped?: boolean
}

/** The client of the process may be another after the connection was lost. */
export type ToTarget = () => {readonly client: TallyClient; readonly process: ProcessClient}

const pieceBytes = 128 * 1024
/** A supervisor answers within two seconds with how much has been taken; a killed one never. */
const patienceMs = 5_000
const replySchema = z.object({next: z.int()})
const uncertainSchema = z.object({to: z.int()})

export function createInputSender(toTarget: ToTarget, {isTyped = false}: InputSenderOptions = {}): InputSender {
  let session = randomUUID()
  /** Up to this byte of the session, input has been taken. */
  let offset = 0
  /** So many bytes of the present write have been taken: a second try begins behind them. */
  let sent = 0

  return {
    write: async (bytes) => {
      while (sent < bytes.length) {
        const most = Math.min(pieceBytes, toMessageRoom(toTarget().client.connection))
        const next = await send(bytes.subarray(sent, sent + most))
        sent += next - offset
        offset = next
      }
      sent = 0
    },
  }

  /** @returns the new offset, or the same when no answer came */
  async function send(piece: Uint8Array): Promise<number> {
    const {client, process} = toTarget()
    const {address, exec} = process
    const header = headers()
    header.set(sessionHeader, session)
    header.set(offsetHeader, String(offset))
    try {
      const subject = client.subjects.io(address, exec ?? initId, 'stdin')
      const reply = await requestRaw(client.connection, subject, piece, {schema: replySchema, timeoutMs: patienceMs, headers: header})
      if (reply) return reply.next
      // Waits for another supervisor if this one has died; rejects if there is no such container.
      await client.container(address.id, address.namespace).state()
      return offset
    } catch (error) {
      if (!(error instanceof TallyError)) throw error
      if (error.code === 'TIMED_OUT') return offset
      if (error.code === 'INPUT_UNCERTAIN' && isTyped) return beginAnew(uncertainSchema.parse(error.details).to)
      throw error
    }
  }

  /** Input up to there counts as taken. */
  function beginAnew(taken: number): number {
    session = randomUUID()
    sent += taken - offset
    offset = 0
    return 0
  }
}
