# Filled by the web room: builds web/ui with npm and embeds the result.
