import { createHash, createHmac, createSecretKey, timingSafeEqual } from "node:crypto";
import type { Part } from "@pollux/core/wire";
import { canonicalJson } from "./internal/json.ts";
import { createRandom } from "./internal/random.ts";
import type { SignatureBook } from "./validate/types.ts";

/** Issues thought signatures and recognizes its own, with no state but the seed: they stay valid across restarts. */
export interface Signer extends SignatureBook {
  /**
   * Signs a part for a model family.
   *
   * @param bytes Length before base64. Default: 150 to 1,100, depending on the part.
   */
  sign(part: Part, family: string, bytes?: number): string;
}

// Layout: lead (4) | salt (12) | family mac (16) | part mac (16) | filler | mac of everything before (16)
const LEAD = Buffer.from([0x12, 0xb4, 0x03, 0x0a]);
const SALT_BYTES = 12;
const MAC_BYTES = 16;
const HEAD_BYTES = LEAD.length + SALT_BYTES + MAC_BYTES * 2;

/** Creates a signer whose signatures are bound to one seed, like the service's to one project. */
export function createSigner(seed: string): Signer {
  const key = createHash("sha256").update(`pollux-emulator ${seed}`).digest();
  // Created once: creating a key takes longer than signing with it.
  const secret = createSecretKey(key);
  const mac = (...values: readonly (string | Buffer)[]): Buffer => {
    const hmac = createHmac("sha256", secret);
    for (const value of values) hmac.update(value).update("\0");
    return hmac.digest().subarray(0, MAC_BYTES);
  };

  return {
    sign(part, family, bytes) {
      const subject = subjectOf(part);
      const salt = mac("salt", family, subject).subarray(0, SALT_BYTES);
      const length = bytes ?? createRandom(salt.toString("hex")).int(150, 1100);
      const head = Buffer.concat([
        LEAD,
        salt,
        mac("family", family, salt),
        mac("part", family, salt, subject),
        filler(key, salt, Math.max(0, length - HEAD_BYTES - MAC_BYTES)),
      ]);
      return Buffer.concat([head, mac("whole", head)]).toString("base64");
    },

    check(signature, part, family) {
      // Node decodes both the standard and the URL-safe alphabet.
      const bytes = Buffer.from(signature, "base64");
      if (bytes.length < HEAD_BYTES + MAC_BYTES || !bytes.subarray(0, LEAD.length).equals(LEAD)) return "foreign";
      const head = bytes.subarray(0, -MAC_BYTES);
      if (!timingSafeEqual(bytes.subarray(-MAC_BYTES), mac("whole", head))) return "foreign";
      const field = (at: number, length: number): Buffer => head.subarray(LEAD.length + at, LEAD.length + at + length);
      const salt = field(0, SALT_BYTES);
      if (!field(SALT_BYTES, MAC_BYTES).equals(mac("family", family, salt))) return "foreign";
      const expected = mac("part", family, salt, subjectOf(part));
      return field(SALT_BYTES + MAC_BYTES, MAC_BYTES).equals(expected) ? "issued" : "moved";
    },
  };
}

/** Pseudorandom bytes. From SHA-256, since workerd and Electron have no hash with variable output length. */
function filler(key: Buffer, salt: Buffer, length: number): Buffer {
  const block = (index: number): Buffer => createHash("sha256").update(key).update(salt).update(String(index)).digest();
  return Buffer.concat(Array.from({ length: Math.ceil(length / 32) }, (_, index) => block(index))).subarray(0, length);
}

/** The fields that a signature covers: all except itself and ids, which some gateways strip. */
function subjectOf(part: Part): string {
  const { thoughtSignature: _signature, thought, functionCall, toolCall, toolResponse, ...rest } = part;
  const subject = {
    ...rest,
    // The service treats an explicit `false` like a missing flag.
    ...(thought === true ? { thought } : {}),
    ...(functionCall && { functionCall: { name: functionCall.name, args: functionCall.args ?? {} } }),
    ...(toolCall && { toolCall: { ...toolCall, id: undefined } }),
    ...(toolResponse && { toolResponse: { ...toolResponse, id: undefined } }),
  };
  return canonicalJson(subject);
}
