/**
 * Input for a process, piece by piece: the next is sent when the kernel has taken the one before, so that a process that reads
 * slowly slows us down, and nothing piles up on the way. What has not been answered is sent again, under the same offset.
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
   * @throws TallyError STDIN_CLOSED, CONTAINER_NOT_FOUND, EXEC_NOT_FOUND, INPUT_UNCERTAIN; NATS_UNREACHABLE: write the very same again with
   * another client
   */
  write(bytes: Uint8Array): Promise<void>
}

export interface InputSenderOptions {
  /** Somebody sees what comes of what he types: where it cannot be known whether a supervisor that was killed had written it, it had. */
  readonly isTyped?: boolean
}

/** Whose process it is may change, when the connection is lost. */
export type ToTarget = () => {readonly client: TallyClient; readonly process: ProcessClient}

const pieceBytes = 128 * 1024
/** A supervisor answers within two seconds, with what has been taken so far; one that was killed never. */
const patienceMs = 5_000
const replySchema = z.object({next: z.int()})
const uncertainSchema = z.object({to: z.int()})

export function createInputSender(toTarget: ToTarget, {isTyped = false}: InputSenderOptions = {}): InputSender {
  let session = randomUUID()
  /** In this session, up to which it has been taken. */
  let offset = 0
  /** Of what is being written, so much has been taken: a second try begins behind it. */
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

  /** @returns up to which it has been taken, or the same again when nobody has answered */
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
      // Its supervisor has died, and another one is waited for; or there is no such container.
      await client.container(address.id, address.namespace).state()
      return offset
    } catch (error) {
      if (!(error instanceof TallyError)) throw error
      if (error.code === 'TIMED_OUT') return offset
      if (error.code === 'INPUT_UNCERTAIN' && isTyped) return beginAnew(uncertainSchema.parse(error.details).to)
      throw error
    }
  }

  /** What was sent up to there counts as taken. */
  function beginAnew(taken: number): number {
    session = randomUUID()
    sent += taken - offset
    offset = 0
    return 0
  }
}
