import { OFFICE_TYPE, type Part } from "@pollux/core/wire";
import { type Problem, problem } from "./problem.ts";
import type { Subject } from "./subject.ts";

const ACCEPTED =
  /^(?:image|audio|video|text)\/|^application\/(?:pdf|json|xml|rtf|javascript|x-javascript|typescript|x-typescript|x-python-code|x-ipynb\+json|x-httpd-php|yaml|x-yaml|sql|x-sh|toml)$/;

/** First bytes of images, as base64 prefixes. */
const IMAGE_STARTS: Readonly<Record<string, string>> = {
  "image/png": "iVBORw0KGgo",
  "image/jpeg": "/9j/",
  "image/gif": "R0lGOD",
  "image/webp": "UklGR",
};

/** Invalid inline media and files, or ones this model doesn't support (E-41, E-72, E-74 to E-76, E-79): the first violated rule. */
export function mediaProblem(subject: Subject): Problem | undefined {
  for (const part of subject.request.contents.flatMap(({ parts }) => parts)) {
    const found = partProblem(part, subject);
    if (found) return found;
  }
  return undefined;
}

function partProblem(part: Part, subject: Subject): Problem | undefined {
  const media = [part, ...(part.functionResponse?.parts ?? [])];
  for (const { inlineData, fileData } of media) {
    const mimeType = inlineData?.mimeType ?? fileData?.mimeType;
    const found =
      (mimeType === undefined ? undefined : typeProblem(mimeType, subject)) ??
      (fileData?.fileUri ? fileProblem(fileData.fileUri, subject) : undefined) ??
      (inlineData?.data && mimeType && subject.switches.decodeImages
        ? imageProblem(mimeType, inlineData.data)
        : undefined);
    if (found) return found;
  }
  return undefined;
}

function typeProblem(mimeType: string, { model }: Subject): Problem | undefined {
  const type = mimeType.toLowerCase().split(";")[0]?.trim() ?? "";
  if (!ACCEPTED.test(type) && !(model.officeInput && OFFICE_TYPE.test(type)))
    return problem("E-76", `Unsupported MIME type: ${mimeType}`);
  if (type.startsWith("image/") && !model.imageInput) {
    return problem("E-41", `Image input modality is not enabled for models/${model.id}`);
  }
  if (type.startsWith("audio/") && !model.audioInput) {
    return problem("E-41", `Audio input modality is not enabled for models/${model.id}`);
  }
  return undefined;
}

function fileProblem(fileUri: string, { switches }: Subject): Problem | undefined {
  const id = fileUri.split("/").at(-1) ?? fileUri;
  switch (switches.fileState(fileUri)) {
    case "active":
      return undefined;
    case "processing":
      return {
        rule: "E-72",
        message: `The File ${id} is not in an ACTIVE state and usage is not allowed.`,
        status: "FAILED_PRECONDITION",
      };
    case "forbidden":
      return filePermissionProblem(fileUri);
    case "robots":
      return problem(
        "E-79",
        "Cannot fetch content from the provided URL. Please ensure the URL is valid and accessible by Vertex AI. Vertex AI respects robots.txt rules, so confirm the URL is allowed to be crawled. Status: URL_ROBOTED-ROBOTED_DENIED",
      );
  }
}

/** The rejection of a file that belongs to another caller, has expired or never existed (E-74). */
export function filePermissionProblem(fileUri: string): Problem {
  const id = fileUri.split("/").at(-1) ?? fileUri;
  return {
    rule: "E-74",
    message: `You do not have permission to access the File ${id} or it may not exist.`,
    status: "PERMISSION_DENIED",
  };
}

function imageProblem(mimeType: string, data: string): Problem | undefined {
  const start = IMAGE_STARTS[mimeType.toLowerCase()];
  if (start === undefined || data.replaceAll("-", "+").replaceAll("_", "/").startsWith(start)) return undefined;
  return problem(
    "E-75",
    "Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting",
  );
}
