import {describe, expect, it} from 'vitest'
import {readProjectFile} from './markdown.ts'

const text = readProjectFile('docker-compose.yml')
/** Without comments. */
const effective = text.replace(/^\s*#.*$/gm, '')

describe('docker-compose.yml', () => {
  it('requires a password and contains none', () => {
    const passwords = [...effective.matchAll(/\$\{(\w*PASSWORD)([^}]*)\}/g)]
    expect(passwords.map(([, name]) => name)).toEqual(['TALLY_NATS_PASSWORD'])
    for (const [, , rule] of passwords) expect(rule).toMatch(/^:\?./)
  })

  it('passes the password to the server in its environment only', () => {
    const assigned = [...effective.matchAll(/\b\w*pass(?:word)?\w*\s*[:=]\s*(.+)$/gim)].map(([, value]) => value?.trim())
    expect(assigned).toHaveLength(2)
    expect(assigned[0]).toMatch(/^'"\$\{TALLY_NATS_PASSWORD:\?[^}]+\}"'$/)
    expect(assigned[1]).toBe('$$NATS_PASSWORD }')
    expect(effective).toMatch(/^ {4}command: \[--config, \/nats-server\.conf\]$/m)
  })

  it('publishes its ports on loopback only', () => {
    const [, ports = ''] = /^ {4}ports:\n((?: {6}- .+\n)+)/m.exec(effective) ?? []
    expect(ports.trim().split('\n')).toEqual(['- 127.0.0.1:4222:4222'])
    expect(effective).not.toContain('network_mode')
  })

  it('pins a minor release of the official image', () => {
    expect(effective).toMatch(/^ {4}image: nats:2\.\d+(\.\d+)?-alpine$/m)
  })

  it('keeps the stream on a named volume', () => {
    expect(effective).toMatch(/^ {6}- jetstream:\/data$/m)
    expect(effective).toMatch(/jetstream \{ store_dir: \/data \}/)
    expect(effective).toMatch(/^volumes:\n {2}jetstream:$/m)
  })

  it('checks the health of JetStream at the address of the server', () => {
    const [, monitor] = /^ {6}http: (.+)$/m.exec(effective) ?? []
    expect(effective).toContain(`http://${monitor}/healthz?js-enabled-only=true`)
  })

  it('says how it is used', () => {
    expect(text).toContain('TALLY_NATS_PASSWORD=… docker compose up -d')
    expect(text).toContain('tally up --nats nats://127.0.0.1:4222 --user tally --password …')
  })
})
