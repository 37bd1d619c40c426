import type {RootfsRequest} from '../../../machines/schemas/create-request.ts'
import {TallyError} from '../../kernel/errors.ts'
import {capabilityNames} from './capabilities.ts'
import {defaultCapabilities} from './defaults.ts'
import type {HostFacts} from './host-facts.ts'

/**
 * Docker's default set, less what is dropped and what the host has not got, and what is added.
 * @throws TallyError INVALID_REQUEST for one that is added and unknown, or not the host's to give
 */
export function chooseCapabilities({capAdd = [], capDrop = []}: RootfsRequest, host: Pick<HostFacts, 'capabilities'>): readonly string[] {
  const [added, dropped] = [new Set(capAdd.map(toName)), new Set(capDrop.map(toName))]
  const unknown = [...added, ...dropped].find((name) => name !== 'CAP_ALL' && !capabilityNames.includes(name))
  if (unknown) throw refused(`expected a capability of capabilities(7), got ${unknown}`)
  const missing = [...added].find((name) => name !== 'CAP_ALL' && !host.capabilities.has(name))
  if (missing) throw refused(`expected a capability that this host may give, got ${missing}`)
  const isKept = (name: string) => !dropped.has('CAP_ALL') && !dropped.has(name)
  const isAdded = (name: string) => added.has(name) || (added.has('CAP_ALL') && !dropped.has(name))
  const kept = defaultCapabilities.filter((name) => host.capabilities.has(name) && isKept(name))
  return [...new Set([...kept, ...capabilityNames.filter((name) => host.capabilities.has(name) && isAdded(name))])]
}

function toName(text: string): string {
  const name = text.toUpperCase()
  return name.startsWith('CAP_') ? name : `CAP_${name}`
}

function refused(message: string): TallyError {
  return new TallyError('INVALID_REQUEST', message)
}
