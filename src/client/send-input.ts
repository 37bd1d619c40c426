/**
 * Input for a process, piece by piece: the next is sent when the kernel has taken the one before, so that a process that reads
 * slowly slows us down, and nothing piles up on the way. A piece whose reply was lost is sent again, under the same offset.
 */
import {randomUUID} from 'node:crypto'
import {headers} from 'nats'
import * as z from 'zod'
import {initId} from '../../machines/commands.ts'
import {TallyError} from '../kernel/errors.ts'
import {requestRaw} from '../messaging/codec.ts'
import type {ProcessClient, TallyClient} from './client.ts'

export interface InputSender {
  /**
   * Resolves when the process's pipe or terminal has taken all of it.
   * @throws TallyError STDIN_CLOSED, CONTAINER_NOT_FOUND, EXEC_NOT_FOUND; NATS_UNREACHABLE: write the very same again with another client
   */
  write(bytes: Uint8Array): Promise<void>
}

/** Whose process it is may change, when the connection is lost. */
export type ToTarget = () => {readonly client: TallyClient; readonly process: ProcessClient}

const pieceBytes = 128 * 1024
/** A process may not read for a long time. */
const patienceMs = 60_000
const replySchema = z.object({next: z.int()})

export function createInputSender(toTarget: ToTarget): InputSender {
  const session = randomUUID()
  let offset = 0
  /** Of what is being written, so much has been taken: a second try begins behind it. */
  let sent = 0

  return {
    write: async (bytes) => {
      while (sent < bytes.length) {
        const piece = bytes.subarray(sent, sent + pieceBytes)
        await send(piece)
        offset += piece.length
        sent += piece.length
      }
      sent = 0
    },
  }

  async function send(piece: Uint8Array): Promise<void> {
    for (;;) {
      const {client, process} = toTarget()
      const {address, exec} = process
      const header = headers()
      header.set('Tally-Session', session)
      header.set('Tally-Offset', String(offset))
      try {
        const subject = client.subjects.io(address, exec ?? initId, 'stdin')
        const reply = await requestRaw(client.connection, subject, piece, {schema: replySchema, timeoutMs: patienceMs, headers: header})
        if (reply === undefined)
          throw new TallyError('CONTAINER_NOT_FOUND', `no container ${address.id} takes input`, {details: {...address}})
        return
      } catch (error) {
        // It has not been read yet: the offset tells the supervisor that it is the same.
        if (!(error instanceof TallyError && error.code === 'TIMED_OUT')) throw error
      }
    }
  }
}
