/** A node: its own commands, its containers, and its events. */
import * as z from 'zod'
import {upgradeReplySchema} from '../../machines/views/upgrade.ts'
import {containerViewSchema, listReplySchema, nodeInfoSchema, uiReplySchema} from '../../machines/views/view.ts'
import {createEventReader} from '../messaging/event-reader.ts'
import {readEvents} from '../messaging/read-events.ts'
import {createContainerClient} from './container.ts'
import {listAll} from './pages.ts'
import {randomId} from './random-id.ts'
import {createRequester, type RequesterDependencies, type RequesterOptions} from './requester.ts'
import type {TallyClient} from './types.ts'

/** The connection is closed with the client. */
export function createNodeClient(dependencies: RequesterDependencies, options: RequesterOptions): TallyClient {
  const {connection} = dependencies
  const {node, subjects} = options
  const requester = createRequester(dependencies, options)
  return {
    node,
    get connection() {
      return connection.present
    },
    subjects,
    back: async () => void (await connection.back()),
    create: (request) => requester.toNode('create', {...request, id: request.id ?? randomId()}, containerViewSchema),
    restore: (request) => requester.toNode('restore', {...request, id: request.id ?? randomId()}, containerViewSchema),
    list: (filter = {}) => listAll((page) => requester.toNode('list', {...filter, ...page}, listReplySchema)),
    info: () => requester.toNode('info', {}, nodeInfoSchema),
    ui: () => requester.toNode('ui', {}, uiReplySchema),
    upgrade: (id, namespace = 'default') => requester.toNode('upgrade', {namespace, id}, upgradeReplySchema),
    restart: async () => void (await requester.toNode('restart', {}, z.object({}))),
    shutdown: async (how = {}) => void (await requester.toNode('shutdown', how, z.object({}))),
    container: (id, namespace = 'default') => createContainerClient(requester, {node, namespace, id}),
    events: (filter) => readEvents(connection.present, subjects, {reader: 'client', ...filter}),
    reader: (filter) => createEventReader(subjects, {reader: 'client', ...filter}),
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  }
}
