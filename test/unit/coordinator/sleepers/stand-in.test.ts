import type {NatsConnection} from 'nats'
import {expect, it} from 'vitest'
import {createStandIn} from '../../../../src/coordinator/sleepers/stand-in.ts'
import {silentLogger} from '../../../../src/kernel/log.ts'
import {createSubjects} from '../../../../src/messaging/subjects.ts'
import {createFakeClock} from '../../../support/fake-clock.ts'

const web = {namespace: 'default', id: 'web'}

it('standing in begins with the next session when the present one ends at that moment', async () => {
  const subscribed: string[] = []
  const connect = (flush: () => Promise<void>) =>
    ({
      subscribe: (subject: string) => {
        subscribed.push(subject)
        return {drain: async () => {}}
      },
      publish: () => {},
      flush,
      isClosed: () => false,
      info: undefined,
    }) as unknown as NatsConnection
  let session = connect(async () => {
    throw new Error('DISCONNECT')
  })
  let onSession: (connection: NatsConnection) => Promise<void> = async () => {}
  const standIn = createStandIn({
    node: 'n1',
    subjects: createSubjects('tally'),
    link: {
      session: () => session,
      onSession: (setUp) => {
        onSession = setUp
      },
    },
    wake: async () => {},
    exists: () => true,
    toRead: () => undefined,
    onAwake: () => {},
    clock: createFakeClock(0),
    logger: silentLogger,
  })
  // Nobody waits for it: a rejection would end the coordinator.
  await expect(standIn.take(web)).resolves.toBeUndefined()
  expect(standIn.isSleeping(web)).toBe(true)
  subscribed.length = 0
  session = connect(async () => {})
  await onSession(session)
  expect(subscribed.some((subject) => subject.includes('web'))).toBe(true)
})
