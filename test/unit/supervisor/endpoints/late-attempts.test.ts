import {expect, it} from 'vitest'
import type {Asked, Endpoint, Incoming} from '../../../../src/messaging/services.ts'
import {createLateAttempts} from '../../../../src/supervisor/endpoints/late-attempts.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const first: Asked = {actor: 'alice', correlationId: 'c1'}
const retry: Asked = {...first, isRetry: true}

function open() {
  const clock = createFakeClock(0)
  const wrap = createLateAttempts(clock)
  const seen: boolean[] = []
  const toEndpoint = (name: string) => wrap({name, subject: name, handle: async (_bytes, {isRetry = false}) => void seen.push(isRetry)})
  const send = async ({handle}: Endpoint, origin: Asked, isHandedOn: boolean) => {
    const message: Incoming = {
      subject: 's',
      isHandedOn,
      room: 1_000,
      header: () => undefined,
      keep: () => ({subject: 's', reply: undefined, headers: undefined, data: new Uint8Array()}),
    }
    await handle(new Uint8Array(), origin, message)
    return seen.at(-1)
  }
  return {clock, start: toEndpoint('start'), kill: toEndpoint('kill'), send}
}

it('a first attempt that is handed on after its retry is a retry', async () => {
  const {start, send} = open()
  await send(start, retry, false)
  expect(await send(start, first, true)).toBe(true)
})

it('a first attempt is none as long as no retry has come, or when it comes from its sender', async () => {
  const {start, send} = open()
  expect(await send(start, first, true)).toBe(false)
  await send(start, retry, false)
  expect(await send(start, first, false)).toBe(false)
})

it('another command, actor or name is another request', async () => {
  const {start, kill, send} = open()
  await send(start, retry, false)
  expect(await send(kill, first, true)).toBe(false)
  expect(await send(start, {...first, actor: 'bob'}, true)).toBe(false)
  expect(await send(start, {...first, correlationId: 'c2'}, true)).toBe(false)
})

it('a retry is forgotten after a minute', async () => {
  const {clock, start, kill, send} = open()
  await send(start, retry, false)
  clock.advance(59_999)
  expect(await send(start, first, true)).toBe(true)
  clock.advance(1)
  await send(kill, retry, false)
  expect(await send(start, first, true)).toBe(false)
})
