# frozen_string_literal: true
NAME = "c 1"
NAME << ":3"
allow NAME
