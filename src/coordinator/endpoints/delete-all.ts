import * as z from 'zod'
import type {Clock} from '../../kernel/clock.ts'
import {TallyError} from '../../kernel/errors.ts'
import type {Directories} from '../../layout/container-layout.ts'
import {requestJson} from '../../messaging/codec.ts'
import type {NatsLink} from '../../messaging/link.ts'
import type {Subjects} from '../../messaging/subjects.ts'
import {listContainers} from '../directories/containers.ts'
import {deleteContainers} from '../directories/delete-containers.ts'
import type {Supervision} from '../supervision/supervision.ts'

export interface DeleteAllDependencies {
  readonly node: string
  readonly directories: Directories
  readonly subjects: Subjects
  readonly link: Pick<NatsLink, 'connected'>
  readonly supervision: Pick<Supervision, 'request'>
  readonly clock: Pick<Clock, 'elapsed' | 'sleep'>
}

/** A supervisor that dies while it deletes its container does not answer. */
const answerMs = 8_000

/** `tally down --containers`. @throws TallyError CONTAINERS_LEFT */
export async function deleteAllContainers({node, directories, subjects, link, supervision, clock}: DeleteAllDependencies): Promise<void> {
  await deleteContainers({
    list: () => listContainers(directories),
    ask: async (name) => {
      const subject = subjects.containerCommand({node, ...name}, 'delete')
      const reply = await requestJson(await link.connected(), subject, {force: true}, {schema: z.unknown(), timeoutMs: answerMs})
      if (reply === undefined) throw new TallyError('CONTAINER_NOT_FOUND', 'no supervisor answers')
    },
    supervise: supervision.request,
    clock,
  })
}
