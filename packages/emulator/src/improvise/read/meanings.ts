/** Phrases, and the words that functions use for what they ask for. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/\b(?:in|inside|show|open|says?) (?:me )?(?:the )?(?:file [\w.-]+|LICENSE|Makefile|Dockerfile)/i, "read content"],
  [/^(?:please )?search (?:for )?(?!.*\b(?:file|note|code|folder)s?\b)/i, "search web"],
  [
    /^(?!.*\b(?:make|create|write|save|add)\b).*\b(?:files?|lines?)\b.*\b(?:mention|contain|use|say|match|include)s?\b(?! in)/i,
    "search files find pattern lines match regular expression",
  ],
  [/\b(?:add|make|save|create|take|write)\b.{0,20}\bnote\b|^(?:please )?note(?: that\b|:)/i, "write save note fact"],
  [
    /\b(?:umbrella|rain(?:s|y|ing)?|sunny|forecast|how (?:warm|cold|hot)|snow(?:s|y|ing)?|wind(?:y)?|jacket|temperature)\b/i,
    "weather forecast",
  ],
  [/\b(?:weather|forecast|recipes?|president|prime minister|population|movies?|restaurants?)\b/i, "web"],
  [
    /\b(?:function|class|method|variable|constant|type) (?:called|named)\b|\b(?:find|search for) the (?:word|text|string)\b/i,
    "search files find pattern",
  ],
  [/\b(?:when|what|where|who)(?:['’]s| is| are| was) my (?!name\b)\w+/i, "search notes memory"],
  [
    /\bhow (?:big|large|long is (?:the file|[\w./-]+\.\w+)|many (?:bytes|lines|words|kilobytes))|\bsize of\b|\b(?:bigger|larger|longer|smaller|shorter)\b/i,
    "size file stats bytes",
  ],
  [
    /\bcontents? of (?:the |this |my )?(?:current )?(?:[\w./-]+ )?(?:folder|directory)\b|\bwhat(?:'s| is| are| files are) (?:in|inside) (?:this|that|the|my|our|your)?\s*(?:current |root |working )?(?:[\w./-]+ )?(?:folder|directory|repo(?:sitory)?|project)\b/i,
    "list files folder",
  ],
  [
    /\b(?:what(?:'s| is| are)? (?:in|inside|under)|show(?: me)?|ls) (?:the )?(?:src|docs|tests?|packages|examples|lib|dist|scripts|bin|[\w-]+(?:\/[\w-]+)+)\/?\s*(?:[?.!]*$|,|\band\b)/i,
    "list files folder",
  ],
  [
    /\bwhat(?:'s| is) (?:in|inside)\b.*?\.\w{1,5}\b|\b(?:show|open|view|print|display|cat|summari[sz]e|explain|inside|content|contents|says?|describe)\b.*?[\w-]\.\w{1,5}\b|\bwhat does\b.*?\.\w{1,5}\b.*\bsay/i,
    "read content",
  ],
  [
    /\b(?:which|what|show|all|any|my|the) (?:[\w.*]+ )?(?:files|folders)\b|\bls\b|\bfiles (?:are )?(?:here|there)\b|\bhow many (?:files|folders)\b|\b(?:biggest|largest|smallest|newest|oldest|latest) files?\b/i,
    "list files folder",
  ],
  [/\b(?:sub-?(?:folders|directories)|recursively|nested)\b/i, "list files recursive"],
  [
    /\b(?:summari[sz]e|explain|describe|tell me about|what is) (?:this|the|our|my) (?:project|repo(?:sitory)?|codebase|package)\b/i,
    "read file content",
  ],
  [
    /\b(?:grep|occurrences?|mentions? of|where\b.*\b(?:used|defined|declared|called|mentioned)|lines (?:that|with|containing)|contain(?:s|ing)?)\b|\b(?:find|search)\b.*\b(?:in|across) (?:the |all |my |our )?(?:files|code|source|src|repo|project|folder|[\w/-]+ folder)\b|\bfind (?:all )?(?:TODO|FIXME)/i,
    "search files find pattern",
  ],
  [/\b(?:create|make|save|put|write|add)\b.*?[\w-]\.\w{1,5}\b/i, "write file create"],
  [/\b(?:replace|change|rename|correct|swap)\b.*?\bin\b.*?[\w-]\.\w{1,5}\b/i, "edit file"],
  [/\b(?:fix|improve|refactor|review)\b.*?[\w-]\.\w{1,5}\b/i, "read file content"],
  [
    /\b(?:search|look|browse)\b.*\b(?:web|internet|online)\b|\bgoogle\b|\blatest\b(?! files?\b| orders?\b)|\bnews\b|\bwho won\b|\blook up\b/i,
    "search web",
  ],
  [
    /\b(?:remember|note down|make a note|keep in mind|don't forget|memorize)\b(?!.*\?)/i,
    "write save note memory remember",
  ],
  [
    /\bwhat (?:do|did|can) you (?:know|remember|recall|have noted)\b|\bdo you remember\b|\bwhat did i (?:say|tell you) about\b|\bask(?:ed)? you to remember\b|\b(?:my|your) notes\b/i,
    "search notes memory",
  ],
  [/\bforget (?:that|about|what|the note)\b/i, "delete note"],
  [/\bremind me\b/i, "reminder create remind write note"],
  [
    /\b(?:schedule|set up|arrange)\b.*\b(?:meeting|call|appointment|event)\b|\bmeeting\b.*\b(?:at|on|with)\b/i,
    "create event calendar schedule meeting",
  ],
  [
    /\bwhat time\b(?! will)|\bwhat(?:'s| is) the (?:time|date)\b|\bwhat (?:day|date) is (?:it|today)\b|\btime is it\b|\bclock\b|\bcurrent time\b|\btime in\b/i,
    "current time now date",
  ],
  [/\b(?:what|which) (?:week)?day(?: of the week)? (?:is|was|will)\b(?! (?:it|today))/i, "shift time date"],
  [/\b(?:add|subtract)\b.*\b(?:minute|hour|day|week|month|year)s?\b/i, "shift time date add"],
  [
    /\bhow (?:long|many (?!are\b)\w+) (?:until|till|to|is it until|are there (?:until|between)|between|from|since|ago|left)\b|\b(?:days|weeks|months|hours|time) (?:are left until|until|till|between|since|left)\b|\bcountdown\b|\bhow old\b/i,
    "time between days duration",
  ],
  [
    /\b(?:in|after)\s+(?:\d+|an?|one|two|three|four|five|six|seven|eight|nine|ten)\s+(?:day|week|month|year|hour|minute)s?\b|\b(?:day|week|month|year|hour|minute)s? (?:from (?:now|today)|ago|later|after|before)\b|\bnext (?:mon|tues|wednes|thurs|fri|satur|sun)day\b/i,
    "shift time date add duration",
  ],
  [/\b(?:convert|what(?:'s| is)) (?:\d{1,2}:\d{2}|\d{1,2}\s*[ap]m|noon|midnight)\b/i, "convert time zone"],
  [
    /\b(?:run|execute)\b|\bin the (?:shell|terminal)\b|\bgit (?:status|log|diff|branch)\b|\b(?:installed version|version) of \w+ (?:is|do|am|are) (?:installed|I|we|you)\b/i,
    "run command shell execute",
  ],
  [
    /\bhow many (?!are|is|did|does|do|files|folders|seconds|days|hours|weeks|months|minutes|years|bytes|lines|words|kilomet|mile|meter|feet|gram|k[mg]\b)\w+|\b(?:rows?|database|query|records?)\b/i,
    "sql query database count rows",
  ],
  [
    /\b(?:customers|orders|users|products|invoices|employees|sales)\b|\b(?:newest|latest|oldest|biggest|largest|cheapest|average|which) (?:customer|order|user|product|invoice|employee)\b/i,
    "sql query database",
  ],
  [
    /\b(?:which|what|list|show|describe)\b.*\b(?:tables?|columns|schema)\b(?! (?:for|at))/i,
    "schema tables database describe sql",
  ],
  [
    /\b(?:plan|to-?dos?|to-?do list|steps|tasks)\b.*:|\bmake a plan\b|\b(?:add|put)\b.*\bto-?dos?\b/i,
    "todos set plan items",
  ],
  [
    /\b(?:mark|tick|check off|finish|complete)\b.*\b(?:done|off|complete|finished|doing|as)\b/i,
    "update todo item status plan done",
  ],
  [/\b(?:e-?mail|write to|mail)\b.*@|\bwrite (?:an? )?(?:e-?mail|mail)\b/i, "send email mail"],
  [/\b(?:tell|ping|message|text|notify|let)\b.+\b(?:that|know|:|about)\b/i, "send message notify"],
  [/\b(?:reserve|reservation|table (?:for|at))\b/i, "book reserve table reservation"],
  [/\b(?:fly|flights?|plane)\b/i, "flight search book"],
  [/\b(?:buy|purchase|order)\b/i, "order buy purchase cart"],
  [/\b(?:bug|broken|crash(?:es|ed)?|incident|open an? (?:ticket|issue))\b/i, "ticket issue create report"],
  [/\bwhere is my (?:order|package|parcel)\b|\border status\b|\btrack\b/i, "order status get track"],
  [
    /\bhow do (?:you|i) say\b|\btranslation\b|\bin (?:french|german|spanish|italian|norwegian|japanese|english)\b/i,
    "translate",
  ],
  [
    /\bdo (?:we|you|they) (?:still )?have\b|\bhow many\b.*\b(?:left|available|in stock)\b/i,
    "stock inventory available quantity",
  ],
  [/\bhow much (?:does|do|is|are)\b|\bcosts?\b/i, "price cost"],
  [/\bwhat does\b.*\bmean\b|\bmeaning of\b|\bdefin(?:e|ition)\b/i, "define definition dictionary word meaning"],
  [/\b(?:exchange rate|worth|how much (?:is|are))\b/i, "convert currency exchange rate"],
  [/\b(?:directions|how do i get|route|way) (?:to|from)\b|\bhow far\b/i, "directions route distance"],
  [/\b(?:turn|switch) (?:on|off)\b|\bdim\b/i, "set switch turn light"],
  [/\b(?:stock|share) price\b|\bstock\b/i, "stock price quote"],
  [/\broll\b.*\b(?:dice|die)\b/i, "roll dice"],
  [/\bask me\b/i, "ask user question"],
  [/\b(?:urgent|asap|critical|important)\b/i, "urgent high"],
];

/** The words that a request means without saying them. */
export function meaningOf(text: string): string {
  return MEANINGS.flatMap(([phrase, words]) => (phrase.test(text) ? [words] : [])).join(" ");
}
