/** What shows that the service has a rule, and where to read it; `unsure` if nothing public does. */
export type Evidence =
  | {
      /** Traffic that another project recorded; a report of a user; or Google's own documentation. */
      readonly kind: "recording" | "issue" | "documentation";
      readonly url: string;
    }
  | "unsure";

const GITHUB = "https://github.com";
const DOCS = "https://ai.google.dev";

const recording = (source: string): Evidence => ({ kind: "recording", url: `${GITHUB}/${source}` });
const issue = (place: string): Evidence => ({ kind: "issue", url: `${GITHUB}/${place}` });
const documentation = (page: string): Evidence => ({
  kind: "documentation",
  url: page.startsWith("https:") ? page : `${DOCS}/${page}`,
});

const PROTO_JSON = documentation("https://protobuf.dev/programming-guides/json/");
const SCHEMA = documentation("api/caching#Schema");
const DECLARATION = documentation("api/caching#FunctionDeclaration");
const TROUBLESHOOTING = documentation("gemini-api/docs/troubleshooting");
const THINKING = documentation("gemini-api/docs/generate-content/thinking");
const SIGNATURES = documentation("gemini-api/docs/thought-signatures");
const LONG_DECODE = documentation("gemini-api/docs/generate-content/long-decode");
const ONE_API = documentation(`${GITHUB}/QuantumNous/new-api`);
const CACHING = documentation("api/caching");
const FILES = documentation("api/files");

const INVALID_ROLE =
  "open-telemetry/opentelemetry-python-contrib/blob/466ae4c00de77d1f54f77a9600f1d08eba2306b5/instrumentation-genai/opentelemetry-instrumentation-vertexai/tests/cassettes/test_generate_content_invalid_role.yaml";
const INVALID_TEMPERATURE =
  "open-telemetry/opentelemetry-python-contrib/blob/466ae4c00de77d1f54f77a9600f1d08eba2306b5/instrumentation-genai/opentelemetry-instrumentation-vertexai/tests/cassettes/test_generate_content_invalid_temperature.yaml";
const UNKNOWN_FIELD =
  "crmne/ruby_llm/blob/290764a64d4a5381dd9f4ea8f47ca81fcd6a1752/spec/fixtures/vcr_cassettes/Chat_with_structured_output/provider-specific_functionality/with_Gemini/returns_structured_JSON_output.yml";
const JSON_WITH_FUNCTIONS =
  "Mirascope/mirascope/blob/b3df512ca9456bad8d9e4545003f7ca025c981b0/python/tests/llm/clients/google/cassettes/test_structured_outputs%5Bstructured_output_calls_tool_scenario-json%5D.yaml";
const PENALTY =
  "Mirascope/mirascope/blob/757cb25e70f472650df9ef97b336c60126c41bfa/python/tests/e2e/cassettes/call_with_params/google/async.yaml";
const UNKNOWN_MODEL =
  "0xPlaygrounds/rig/blob/b75850e899498647563af2d644ee72d28ac7a69e/tests/cassettes/gemini/error_envelope/nonexistent_model_error_preserves_status_and_body.yaml";
const VERTEX_KEY =
  "pydantic/pydantic-ai/blob/81470f5df1e5ba0d76683f0e88853bcc9e5e6aa9/tests/models/cassettes/test_google/test_google_vertexai_image_generation.yaml";
const ROBOTS =
  "pydantic/pydantic-ai/blob/4fda38988f2939fa6ea9cdefcf120693e10ef491/tests/models/cassettes/test_multimodal_tool_returns/test_model_sees_multiple_images%5Bgoogle_vertex%5D.yaml";
const DUMMY_SIGNATURE =
  "pydantic/pydantic-ai/blob/4fda38988f2939fa6ea9cdefcf120693e10ef491/tests/cassettes/test_tool_availability_portability/test_tool_availability_portability_matrix%5BR1-T5-local-search%5D.yaml";
const LINGUA = "braintrustdata/lingua/tree";
const SNAPSHOTS = "payloads/snapshots";
const PREFILL =
  "Mirascope/mirascope/blob/41d433578653411dbff96c6eaca4fa869aafc931/typescript/tests/e2e/input/cassettes/call/google/encodes-assistant-message.har";

/** Rule → what shows that the service does not always apply it; see `exceptions.ts` and the switch `responseMatching`. */
export const EXCEPTIONS: Readonly<Record<string, Evidence>> = {
  "E-03": recording(
    "open-telemetry/opentelemetry-python-contrib/tree/main/instrumentation-genai/opentelemetry-instrumentation-vertexai/tests",
  ),
  "E-05": recording(`${LINGUA}/006fc081247e10df03ac7b4311fffba7f5637cc6/${SNAPSHOTS}/simpleRequestTruncated/google`),
  "E-06": recording("google/adk-go/tree/main/internal/llminternal"),
  "E-15": recording(`${LINGUA}/85c6d292c17d54eb42daa45a18ca5b162cb19977/${SNAPSHOTS}/toolCallRequest/google`),
  "E-18": recording(
    "google/adk-go/blob/c62d8cd82d2d5389750a3fe376e14cb67afa3f2e/agent/llmagent/testdata/TestDelegation_09_ChatPeerTransferAcrossSiblings.httprr",
  ),
  "E-21": recording("docker/docker-agent/tree/main/e2e/testdata/cassettes"),
  "E-35": recording("pydantic/pydantic-ai/tree/main/tests/models/cassettes"),
};

/** Rule → its best evidence: a recording before an issue, an issue before documentation. */
export const EVIDENCE: Readonly<Record<string, Evidence>> = {
  "A-1": recording(
    "prism-php/prism/blob/c66a90d488e903b08fc748f0c19edf95281378a4/tests/Fixtures/gemini/missing-api-key-1.json",
  ),
  "A-2": recording(
    "FirebaseExtended/vertexai-sdk-test-data/blob/2d6adfde6a9ab79867347fd1f9dfeaccf1c9e3d9/mock-responses/googleai/unary-failure-api-key.json",
  ),
  "A-3": TROUBLESHOOTING,
  "A-4": recording(VERTEX_KEY),
  "A-5": ONE_API,
  "A-6": TROUBLESHOOTING,
  "A-7": documentation("api/generate-content"),
  "C-1": CACHING,
  "C-2": CACHING,
  "C-3": CACHING,
  "E-00": TROUBLESHOOTING,
  "E-01": PROTO_JSON,
  "E-02": recording(UNKNOWN_FIELD),
  "E-03": issue("google-gemini/deprecated-generative-ai-js/issues/320"),
  "E-03b": issue("google-gemini/deprecated-generative-ai-js/issues/301"),
  "E-03c": PROTO_JSON,
  "E-04": issue("vercel/ai/issues/3775"),
  "E-05": issue("langchain-ai/langchain-google/issues/691"),
  "E-06": issue("genkit-ai/genkit/issues/3816"),
  "E-07": PROTO_JSON,
  "E-08": recording(INVALID_ROLE),
  "E-09": issue("Portkey-AI/gateway/issues/462"),
  "E-10": issue("google-gemini/gemini-cli/issues/21830"),
  "E-11": issue("google-gemini/gemini-cli/issues/26486"),
  "E-12": issue("BerriAI/litellm/issues/26755"),
  "E-13": issue("LibreChat-AI/agents/pull/323"),
  "E-13b": recording(PREFILL),
  "E-14": issue("google/oss-rebuild/pull/1559"),
  "E-15": issue("router-for-me/CLIProxyAPI/issues/5199"),
  "E-16": documentation("api/caching#FunctionResponse"),
  "E-17": issue("googleapis/java-genai/issues/694"),
  "E-18": issue("AstrBotDevs/AstrBot/pull/7216"),
  "E-19": SIGNATURES,
  "E-19b": "unsure",
  "E-20": issue("nanbingxyz/5ire/issues/42"),
  "E-21": issue("agno-agi/agno/issues/2112"),
  "E-22": issue("Kilo-Org/kilocode/pull/11955"),
  "E-23": issue("kkrishnan90/gemini-desktop/pull/7"),
  "E-24": issue("microsoft/azure-devops-mcp/issues/145"),
  "E-25": SCHEMA,
  "E-26": SCHEMA,
  "E-27": SCHEMA,
  "E-28": issue("flutter/genui/issues/428"),
  "E-29": issue("google-gemini/gemini-cli/issues/5923"),
  "E-30": issue("livekit/agents/pull/2689"),
  "E-31": issue("microsoft/vscode-copilot-release/issues/7928"),
  "E-32": "unsure",
  "E-32b": DECLARATION,
  "E-32c": DECLARATION,
  "E-33": issue("simonw/llm-gemini/pull/39"),
  "E-34": issue("symfony/ai/issues/803"),
  "E-35": issue("googleapis/js-genai/issues/1425"),
  "E-36": issue("BerriAI/litellm/issues/17304"),
  "E-37": issue("googleapis/js-genai/issues/1157"),
  "E-38": issue("egonSchiele/agency-lang/issues/495"),
  "E-39": issue("ag2ai/ag2/pull/3145"),
  "E-40": issue("pydantic/pydantic-ai/pull/5791"),
  "E-40b": "unsure",
  "E-41": issue("BerriAI/litellm/issues/10313"),
  "E-42": recording(JSON_WITH_FUNCTIONS),
  "E-43": documentation("gemini-api/docs/structured-output"),
  "E-44": issue("googleapis/python-genai/issues/1723"),
  "E-45": recording(PENALTY),
  "E-46": issue("Vela-Research/think-reason-learn/issues/34"),
  "E-47": documentation("api/generate-content#generationconfig"),
  "E-48": LONG_DECODE,
  "E-48b": documentation("api/models"),
  "E-48c": documentation("api/generate-content#generationconfig"),
  "E-48d": recording(INVALID_TEMPERATURE),
  "E-49": issue("BerriAI/litellm/issues/17696"),
  "E-50": issue("tidyverse/ellmer/issues/946"),
  "E-51": issue("google-gemini/gemini-cli/issues/13467"),
  "E-52": "unsure",
  "E-53": recording(DUMMY_SIGNATURE),
  "E-54": SIGNATURES,
  "E-55": "unsure",
  "E-60": issue("RooCodeInc/Roo-Code/issues/10700"),
  "E-61": issue("vellum-ai/vellum-assistant/pull/32687"),
  "E-62": issue("vercel/ai/issues/8027"),
  "E-63": issue("sterlp/eclipse-peon-ai/issues/115"),
  "E-64": THINKING,
  "E-65": THINKING,
  "E-66": THINKING,
  "E-67": recording("googleapis/dotnet-genai/tree/main/Google.GenAI.E2E.Tests/Recordings"),
  "E-67b": issue("danielmiessler/Fabric/issues/1607"),
  "E-70": recording(UNKNOWN_MODEL),
  "E-71": documentation("gemini-api/docs/deprecations"),
  "E-72": issue("expectedparrot/edsl/issues/1907"),
  "E-73": ONE_API,
  "E-74": issue("googleapis/python-genai/issues/1218"),
  "E-75": "unsure",
  "E-76": issue("google-gemini/gemini-cli/issues/3054"),
  "E-77": issue("google-gemini/gemini-cli/issues/15184"),
  "E-78": documentation("gemini-api/docs/changelog"),
  "E-79": recording(ROBOTS),
  "F-1": FILES,
  "F-2": FILES,
  "F-3": FILES,
  "X-1": documentation("api/embeddings"),
  "D-1": documentation("gemini-api/docs/changelog"),
  continuation: "unsure",
};
