/**
 * Questions whether supervisors are awake, on the subject that only a supervisor that is awake listens to. There may be a thousand: all answers
 * come to one subscription, and nothing waits for them.
 */
import {createInbox, type NatsConnection} from 'nats'
import type {ContainerName} from '../../layout/container-name.ts'
import type {Subjects} from '../../messaging/subjects.ts'

export interface RollCall {
  /** An answer that comes was given before anything else that the supervisor sends after it: one that has fallen asleep since says so later. */
  ask(name: ContainerName): void
}

export interface RollCallOptions {
  readonly node: string
  readonly subjects: Pick<Subjects, 'awake'>
  readonly onAwake: (name: ContainerName) => void
}

/** For one session. */
export function createRollCall(connection: NatsConnection, {node, subjects, onAwake}: RollCallOptions): RollCall {
  const inbox = createInbox()
  connection.subscribe(`${inbox}.*.*`, {
    callback: (error, {subject, headers}) => {
      const [namespace = '', id = ''] = subject.slice(inbox.length + 1).split('.')
      // The server says so itself when nobody listens (ADR-4).
      if (!error && headers?.code !== 503) onAwake({namespace, id})
    },
  })
  return {
    ask: ({namespace, id}) => connection.publish(subjects.awake({node, namespace, id}), '', {reply: `${inbox}.${namespace}.${id}`}),
  }
}
