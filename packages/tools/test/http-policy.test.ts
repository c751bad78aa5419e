import { ToolError } from "@pollux/core";
import { describe, expect, test } from "vitest";
import { kindOfAddress } from "../src/http/addresses.ts";
import { Policy } from "../src/http/policy.ts";

describe("what an address is", () => {
  test.each([
    ["8.8.8.8", "public"],
    ["2001:4860:4860::8888", "public"],
    ["::ffff:8.8.8.8", "public"],
    ["127.0.0.1", "private"],
    ["127.255.255.254", "private"],
    ["::1", "private"],
    ["10.1.2.3", "private"],
    ["172.31.0.1", "private"],
    ["192.168.1.1", "private"],
    ["100.64.0.1", "private"],
    ["fd12:3456::1", "private"],
    ["::ffff:127.0.0.1", "private"],
    ["::ffff:a00:1", "private"],
    ["169.254.169.254", "never"],
    ["::ffff:169.254.169.254", "never"],
    ["fe80::1", "never"],
    ["fe80::1%eth0", "never"],
    ["100.100.100.200", "never"],
    ["fd00:ec2::254", "never"],
    ["0.0.0.0", "never"],
    ["0.1.2.3", "never"],
    ["::", "never"],
    ["224.0.0.1", "never"],
    ["ff02::1", "never"],
    ["255.255.255.255", "never"],
    ["240.0.0.1", "never"],
    ["192.0.0.192", "never"],
    ["198.18.0.1", "never"],
    ["192.0.2.1", "never"],
    ["::7f00:1", "never"],
    ["::ffff:0:127.0.0.1", "never"],
    ["64:ff9b::7f00:1", "never"],
    ["64:ff9b::808:808", "never"],
    ["64:ff9b:1::7f00:1", "never"],
    ["2002:7f00:1::1", "never"],
    ["2001:0:7f00:1::1", "never"],
    ["2001:db8::1", "never"],
    ["fec0::1", "never"],
    ["", "never"],
    ["localhost", "never"],
  ])("%s is %s", (address, kind) => {
    expect(kindOfAddress(address)).toBe(kind);
  });
});

function refusal(policy: Policy, address: string, from?: string): string | undefined {
  try {
    policy.check(address, from === undefined ? undefined : new URL(from));
    return undefined;
  } catch (error) {
    expect(error).toBeInstanceOf(ToolError);
    return (error as ToolError).message;
  }
}

describe("what an address may look like", () => {
  test.each([
    ["http://127.0.0.1/", "127.0.0.1"],
    ["http://0x7f.1/", "127.0.0.1"],
    ["http://0x7f000001/", "127.0.0.1"],
    ["http://2130706433/", "127.0.0.1"],
    ["http://0177.0.0.1/", "127.0.0.1"],
    ["http://127.1/", "127.0.0.1"],
    ["http://127.0.0.1./", "127.0.0.1"],
    ["http://①②⑦.⓪.⓪.①/", "127.0.0.1"],
    ["http://0/", "0.0.0.0"],
    ["http://[::1]/", "::1"],
    ["http://[::ffff:127.0.0.1]/", "::ffff:7f00:1"],
    ["http://[64:ff9b::127.0.0.1]/", "64:ff9b::7f00:1"],
    ["http://169.254.169.254/latest/meta-data/", "169.254.169.254"],
  ])("%s is refused without connecting", (address, host) => {
    expect(refusal(new Policy({}), address)).toBe(
      `the host ${host} is refused: it is not on the public internet; use another source`,
    );
  });

  test.each([
    ["example.com", '"example.com" is not a full URL; use one such as https://example.com/page'],
    ["http://[::1%25eth0]/", '"http://[::1%25eth0]/" is not a full URL; use one such as https://example.com/page'],
    ["file:///etc/passwd", '"file:///etc/passwd" cannot be fetched: only https: and http: URLs are supported'],
    ["data:text/html,x", '"data:text/html,x" cannot be fetched: only https: and http: URLs are supported'],
    ["javascript:alert(1)", '"javascript:alert(1)" cannot be fetched: only https: and http: URLs are supported'],
    [
      "https://user:pass@example.com/",
      "https://example.com is refused: a URL must not contain a user name or password",
    ],
    ["https://example.com:8443/", "port 8443 is not allowed; use 80, 443"],
    ["http://example.com:22/", "port 22 is not allowed; use 80, 443"],
  ])("%s is refused", (address, message) => {
    expect(refusal(new Policy({}), address)).toBe(message);
  });

  test("a long one is not repeated whole", () => {
    expect(refusal(new Policy({}), `https://example.com/${"x".repeat(100_000)}`)?.length).toBeLessThan(400);
  });

  test("a redirect does not leave encryption, and may be relative", () => {
    const policy = new Policy({});
    expect(refusal(policy, "http://example.com/", "https://example.com/")).toBe(
      '"http://example.com/" is refused: it is unencrypted, but the page that redirects to it is encrypted',
    );
    expect(policy.check("../b?c", new URL("https://example.com/a/x")).href).toBe("https://example.com/b?c");
  });
});

describe("allow and deny", () => {
  const policy = new Policy({ allow: ["example.com", "*.Example.org"], deny: ["secret.example.org"] });
  test.each([
    ["https://example.com/", undefined],
    ["https://EXAMPLE.com./", undefined],
    ["https://a.b.example.org/", undefined],
    ["https://www.example.com/", "the host www.example.com is not allowed; allowed: example.com, *.example.org"],
    ["https://example.org/", "the host example.org is not allowed; allowed: example.com, *.example.org"],
    ["https://evilexample.org/", "the host evilexample.org is not allowed; allowed: example.com, *.example.org"],
    [
      "https://example.com.evil.net/",
      "the host example.com.evil.net is not allowed; allowed: example.com, *.example.org",
    ],
    ["https://secret.example.org/", "the host secret.example.org is not allowed; use another source"],
  ])("%s: %s", (address, message) => {
    expect(refusal(policy, address)).toBe(message);
  });

  test("an allowed private address still has to be opened, and metadata never is", () => {
    expect(refusal(new Policy({ allow: ["127.0.0.1"] }), "http://127.0.0.1/")).toMatch(/not on the public internet/);
    expect(refusal(new Policy({ allowPrivate: ["127.0.0.1"] }), "http://127.0.0.1/")).toBeUndefined();
    expect(refusal(new Policy({ allowPrivate: ["127.0.0.1"] }), "http://10.0.0.1/")).toMatch(/not on the public/);
    expect(refusal(new Policy({ allowPrivate: true }), "http://169.254.169.254/")).toMatch(/not on the public/);
    expect(refusal(new Policy({ allowPrivate: true }), "http://0.0.0.0/")).toMatch(/not on the public/);
  });

  test.each(["https://example.com", "example.com:80", "[::1]:80", "a:b@c", "exa mple", "user@example.com", "a/b", ""])(
    "%j is no host",
    (name) => {
      expect(() => new Policy({ allow: [name] })).toThrow(TypeError);
    },
  );
});
