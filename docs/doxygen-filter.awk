# Turns the plain comments of the public headers into Doxygen's. What stands before a declaration becomes
# its description: the first sentence in brief, the rest as it is laid out. A macro or type without a
# comment of its own belongs to the comment before it; a function is left for Doxygen to complain about.
# What stands behind a member describes it; a member without has a name and a type that say it all.

function escaped(text)
{
    gsub(/[\\@<>&#%"]/, "\\\\&", text)
    return text
}

function description(body,    at, brief, rest)
{
    at = match(body, /\.([ \n]|$)|:\n/)
    brief = at ? substr(body, 1, at) : body
    rest = at ? substr(body, at + 1) : ""
    sub(/^[ \n]+/, "", rest)
    return "@brief " escaped(brief) (rest == "" ? "" : "\n\n<pre>" escaped(rest) "</pre>") " */"
}

# A comment that begins a line, to its end.
in_block || /^\/\* / {
    line = $0
    if (line == " */")
        line = "*/"
    else if (in_block)
        sub(/^ \* ?/, "", line)
    else
        sub(/^\/\* /, "", line)
    body = in_block ? body "\n" line : line
    first_line = in_block ? first_line : NR
    in_block = !sub(/ *\*\/$/, "", body)
    if (!in_block) {
        last = description(body)
        print "/** " (first_line == 1 ? "@file\n" : "") last
        fresh = first_line != 1
    }
    next
}

!fresh && (/^#define [A-Z0-9_]+/ && !/_H$/ || /^typedef /) { print "/** " last }
{ fresh = 0 }

/^(typedef )?(struct|enum) .*\{$/ { in_type = 1 }
/^\}/ { in_type = 0 }

# A member's comment, which may go on on the next lines.
in_type && (in_comment || / \/\* /) {
    text = $0
    if (!in_comment) {
        match(text, / \/\* /)
        code = substr(text, 1, RSTART)
        text = substr(text, RSTART + 4)
    }
    comment = in_comment ? comment "\n" text : text
    in_comment = !sub(/ *\*\/$/, "", comment)
    if (!in_comment) {
        comment = " /**< " escaped(comment) " */"
        split(code, word)
        if (sub(/,$/, "", word[2])) # two of one type on a line
            code = word[1] " " word[2] ";" comment " " word[1] " " word[3]
        print code comment
    }
    next
}

in_type && /^    [^ #].*;$/ { print $0 " /**< &nbsp; */"; next }

{ print }
