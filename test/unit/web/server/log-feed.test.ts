import {expect, test} from 'vitest'
import type {LogReply} from '../../../../machines/views/view.ts'
import {TallyError} from '../../../../src/kernel/errors.ts'
import {followLog} from '../../../../src/web/server/log-feed.ts'
import type {LogSource} from '../../../../src/web/server/log-source.ts'

const clock = {elapsed: () => 1_000_000, sleep: async () => {}}
const notFound = new TallyError('CONTAINER_NOT_FOUND', 'no container web')

function reply(text: string, next: number, ended = false): LogReply {
  return {
    position: 0,
    entries: [{time: '2026-01-02T03:04:05Z', stream: 'stdout', data: Buffer.from(text).toString('base64'), next}],
    next,
    end: next,
    ended,
  }
}

/** A connection that gives these replies, or errors, and is closed after the last of them. */
function createSource(...replies: readonly (LogReply | Error)[]): LogSource {
  const left = [...replies]
  let notify = () => {}
  return {
    isClosed: () => left.length === 0,
    read: async () => {
      const next = left.shift()
      // Not waited for: there is more, or the connection is closed.
      notify()
      if (next === undefined || next instanceof Error) throw next
      return next
    },
    watch: (onOutput) => {
      notify = onOutput
      return {[Symbol.dispose]: () => {}}
    },
    letGo: async () => {},
  }
}

async function follow(...sources: readonly LogSource[]): Promise<readonly string[]> {
  const left = [...sources]
  const connect = async () => {
    const source = left.shift()
    if (!source) throw new Error('expected no further connection')
    return source
  }
  const pieces: string[] = []
  for await (const piece of followLog({connect, position: 0, clock}, new AbortController().signal)) {
    const [, id] = /^id: (\d+)/.exec(piece) ?? []
    pieces.push(id ?? piece.trim())
  }
  return pieces
}

const end = (position: number) => `event: end\ndata: {"position":${position}}`

test('gives the log in pages until the process has ended and all was read', async () => {
  expect(await follow(createSource(reply('a', 10), reply('b', 20), reply('c', 30, true)))).toEqual(['10', '20', '30', end(30)])
})

test('goes on over the next connection, though the supervisor is not back yet', async () => {
  const sources = [createSource(reply('a', 10)), createSource(notFound), createSource(notFound), createSource(reply('b', 20, true))]
  expect(await follow(...sources)).toEqual(['10', '20', end(20)])
})

test('ends when the container is deleted', async () => {
  expect(await follow(createSource(reply('a', 10), notFound))).toEqual(['10', end(10)])
})

test('fails with any other error', async () => {
  await expect(follow(createSource(reply('a', 10), new TallyError('INTERNAL', 'broken')))).rejects.toMatchObject({code: 'INTERNAL'})
})
