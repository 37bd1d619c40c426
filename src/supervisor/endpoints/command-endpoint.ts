/** An endpoint of this container: subject and schema are those of its verb. */
import type * as z from 'zod'
import {type ContainerRequest, type ContainerVerb, containerCommandSchemas} from '../../../machines/commands/commands.ts'
import type {ContainerAddress} from '../../../machines/ledger/ids.ts'
import {type Asked, type Endpoint, endpoint, type Incoming} from '../../messaging/services.ts'
import type {Subjects} from '../../messaging/subjects.ts'

/** @returns an endpoint whose handler gets requests that are parsed */
export type ToEndpoint = <V extends ContainerVerb>(
  verb: V,
  handle: (request: ContainerRequest<V>, origin: Asked, message: Incoming) => Promise<unknown>,
) => Endpoint

const schemas: {readonly [V in ContainerVerb]: z.ZodType<ContainerRequest<V>>} = containerCommandSchemas

export function createToEndpoint(subjects: Subjects, address: ContainerAddress): ToEndpoint {
  return (verb, handle) => endpoint(verb, subjects.containerCommand(address, verb), schemas[verb], handle)
}
