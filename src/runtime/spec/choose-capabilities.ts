import type {RootfsRequest} from '../../../machines/schemas/create-request.ts'
import {TallyError} from '../../kernel/errors.ts'
import {capabilityNames} from './capabilities.ts'
import {defaultCapabilities} from './defaults.ts'
import type {HostFacts} from './host-facts.ts'

/**
 * Docker's default capabilities, without those that are dropped or that the host lacks, and with those that are added.
 * @throws TallyError INVALID_REQUEST for an unknown capability, or an added one that the host lacks
 */
export function chooseCapabilities({capAdd = [], capDrop = []}: RootfsRequest, host: Pick<HostFacts, 'capabilities'>): readonly string[] {
  const [added, dropped] = [new Set(capAdd.map(toName)), new Set(capDrop.map(toName))]
  const unknown = [...added, ...dropped].find((name) => name !== 'CAP_ALL' && !capabilityNames.includes(name))
  if (unknown) throw refused(`expected a capability of capabilities(7), got ${unknown}`)
  const missing = [...added].find((name) => name !== 'CAP_ALL' && !host.capabilities.has(name))
  if (missing) throw refused(`expected a capability that this host may give, got ${missing}`)
  const isDefault = (name: string) => !dropped.has('CAP_ALL') && !dropped.has(name)
  const isAdded = (name: string) => added.has(name) || (added.has('CAP_ALL') && !dropped.has(name))
  const defaults = defaultCapabilities.filter((name) => host.capabilities.has(name) && isDefault(name))
  return [...new Set([...defaults, ...capabilityNames.filter((name) => host.capabilities.has(name) && isAdded(name))])]
}

function toName(text: string): string {
  const name = text.toUpperCase()
  return name.startsWith('CAP_') ? name : `CAP_${name}`
}

function refused(message: string): TallyError {
  return new TallyError('INVALID_REQUEST', message)
}
