// Verification of tokens seen for the first time (`cold`) and again (`hot`): `verify.mjs PEER FOLDER`.
// The protocol is that of `rust/src/measure.rs`.
import { createPublicKey } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { createVerifier } from 'fast-jwt'
import { createLocalJWKSet, jwtVerify } from 'jose'

// Operations between two looks at the clock.
const BLOCK = 32
// More than any case has hot tokens.
const CACHE = 20_000

const [peer, folder] = process.argv.slice(2)
const world = JSON.parse(readFileSync(join(folder, 'world.json'), 'utf8'))
const tokens = readFileSync(join(folder, 'tokens.txt'), 'utf8').split('\n')

const fastJwt = cache => {
  const key = createPublicKey({ key: world.jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
  const requiredClaims = ['sub', 'iat', 'exp', 'iss']
  return createVerifier({ key, cache, algorithms: ['ES256'], allowedIss: world.url, requiredClaims })
}
const jose = () => {
  const keys = createLocalJWKSet({ keys: [world.jwk] })
  const options = { algorithms: ['ES256'], issuer: world.url, requiredClaims: ['sub', 'iat', 'exp'] }
  return token => jwtVerify(token, keys, options)
}
const verify = { 'fast-jwt': () => fastJwt(false), 'fast-jwt, cache': () => fastJwt(CACHE), jose }[peer]()

let unseen = 0
let seen = 0
const nextUnseen = () => {
  if (unseen === tokens.length) throw new Error('every token has been seen')
  return tokens[unseen++]
}

// A promise is only waited for where there is one.
async function repeat(milliseconds, next) {
  const waits = peer === 'jose'
  const cpu = process.cpuUsage()
  const start = process.hrtime.bigint()
  const limit = BigInt(milliseconds) * 1_000_000n
  let done = 0
  let time = 0n
  while (time < limit) {
    for (let index = 0; index < BLOCK; index++) {
      if (waits) await verify(next())
      else verify(next())
    }
    done += BLOCK
    time = process.hrtime.bigint() - start
  }
  const { user, system } = process.cpuUsage(cpu)
  return { ns: Number(time) / done, cpu_ns: ((user + system) * 1000) / done }
}

async function measure({ name, size = 0, threads = 1, milliseconds = 0 }) {
  // Threads of Node share no memory: two would be two processes.
  if (threads > 1) return {}
  if (name === 'cold') return repeat(milliseconds, nextUnseen)
  for (; seen < size; seen++) await verify(tokens[seen])
  let turn = 0
  return repeat(milliseconds, () => tokens[turn++ % size])
}

console.log(JSON.stringify({ ready: true }))
for await (const line of createInterface({ input: process.stdin })) {
  const sample = await measure(JSON.parse(line))
  console.log(JSON.stringify({ ...sample, resident: process.memoryUsage.rss() }))
}
